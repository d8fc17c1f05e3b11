"""Events that Stripe has and that never came: stored now, as if they had."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from payments import gateway, inbox
from payments.gateway import Read
from payments.models import StripeEvent
from payments.models.reconciliation import Bucket
from payments.reconcile.findings import Findings
from payments.reconcile.sides import Side

UNDER_WAY = timedelta(minutes=10)
"""An event that is younger may still come by itself."""
BATCH = 100
LISTENED = ("charge.dispute.", "refund.", "payout.")
"""Every type of these, and the following: what Stripe is asked to deliver (payments.md, section 1)."""
TYPES = frozenset(
    {
        *(f"payment_intent.{what}" for what in ("processing", "succeeded", "payment_failed", "canceled")),
        *("charge.succeeded", "charge.updated", "transfer.created", "transfer.updated", "transfer.reversed"),
        *("account.updated", "account.external_account.updated", "account.application.deauthorized"),
        "capability.updated",
    }
)


def fetch_missed(
    side: Side, findings: Findings, *, since: datetime, now: datetime, apply: Callable[[StripeEvent], object]
) -> None:
    """Store what never came, and let `apply` write its job. Stripe keeps events for 30 days. Raises GatewayError."""
    params = {"created": {"gte": int(since.timestamp()), "lte": int((now - UNDER_WAY).timestamp())}}
    query = Read(what="events", params=params, account=side.account)
    wanted = (event for event in gateway.pages(query) if event["type"] in TYPES or event["type"].startswith(LISTENED))
    for batch in itertools.batched(wanted, BATCH):
        ids = [event["id"] for event in batch]
        known = set(StripeEvent.objects.filter(event_id__in=ids).values_list("event_id", flat=True))
        for event in batch:
            if event["id"] not in known:
                _store(side, event, findings, apply)


def _store(side: Side, event: dict[str, Any], findings: Findings, apply: Callable[[StripeEvent], object]) -> None:
    with transaction.atomic():
        # A list of a connected account's events does not name it, as a delivery does.
        row, new = inbox.receive(event | {"account": side.account} if side.account else event)
        if not new:
            return
        apply(row)
        words = f"Stripe’s event {row.event_id} ({row.type} of {row.object_id}) never came; it is in the inbox now."
        findings.put_right(Bucket.MISSED_EVENT, row.event_id, words, account=side.account, stripe_id=row.event_id)
