"""Stripe's events: written down once, then understood by a job.

An event is a signal. What it says about an object is not believed: the object is read again (payments/seen.py), so an
old, repeated or overtaken event changes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from jobs.archivable import Archivable
from payments import disputes_at_stripe, gateway, onboarding, operations, seen
from payments.gateway import Read
from payments.models import Operation, StripeEvent
from payments.models.inbox import EventState
from payments.states import Kind

KINDS = {
    "payment_intent": Kind.DEPOSIT,
    "transfer": Kind.RELEASE,
    "payout": Kind.WITHDRAWAL,
    "refund": Kind.REFUND,
}
"""The first part of a type, and what kind of operation it is about."""

KEPT = timedelta(days=90)
"""Stripe delivers an event again for up to 30 days; so long it must be known that it was handled."""


class NoneOfOurs(Exception):
    """The event is about nothing that we asked for; the text says what it is about."""


def receive(event: dict[str, Any]) -> tuple[StripeEvent, bool]:
    """Write a verified event down, once; with whether it is new. The caller enqueues its job in the transaction."""
    found = (event.get("data") or {}).get("object") or {}
    fields = {
        "account": str(event.get("account") or ""),
        "type": str(event["type"])[:100],
        "object_id": str(found.get("id") or "")[:255],
        "livemode": bool(event.get("livemode")),
        "body": event,
    }
    row, new = StripeEvent.objects.get_or_create(event_id=event["id"], defaults=fields)
    return row, new


def understand(event: StripeEvent, *, now: datetime) -> bool:
    """Let the event's object be read and the books agree with it; whether it was news.

    Raises NoneOfOurs, GatewayError, outcomes.TooEarly, outcomes.Contradiction.
    """
    if event.livemode != (not settings.STRIPE_SECRET_KEY.startswith(("sk_test_", "rk_test_"))):
        raise NoneOfOurs(f"It is of {'live' if event.livemode else 'test'} mode, and our key is not.")
    family, _, what = event.type.partition(".")
    if event.type.startswith("charge.dispute."):
        return disputes_at_stripe.look(event.object_id, now=now)
    if family == "charge":
        return _tell(_deposit_of(event), now)
    if family in KINDS:
        return _of_operation(event, KINDS[family], what, now)
    if family in ("account", "capability"):
        return onboarding.look(event.account or event.object_id, now=now)
    raise NoneOfOurs(f"Nothing here listens to {event.type}.")


def close(event: StripeEvent, state: EventState, *, now: datetime, error: str = "") -> None:
    """Say what became of it. What was handled once stays so."""
    open_ = StripeEvent.objects.filter(pk=event.pk).exclude(state=EventState.HANDLED)
    open_.update(state=state, handled_at=now, error=error[:2000])


def _of_operation(event: StripeEvent, kind: Kind, what: str, now: datetime) -> bool:
    news = False
    if kind is Kind.RELEASE and what == "reversed":
        news = _reversals(event, now)
    operation = _find(event)
    if operation is None:
        if news:
            return True
        raise NoneOfOurs(f"{event.object_id} was made by no operation of ours.")
    return _tell(operation, now, stripe_id=event.object_id) or news


def _find(event: StripeEvent) -> Operation | None:
    found = event.body["data"]["object"]
    return operations.find(
        operation_id=str((found.get("metadata") or {}).get("operation_id") or ""),
        idempotency_key=str((event.body.get("request") or {}).get("idempotency_key") or ""),
        stripe_id=event.object_id,
    )


def _reversals(event: StripeEvent, now: datetime) -> bool:
    """A transfer was taken back: our reversals of it that are not confirmed yet are looked for among Stripe's."""
    open_ = Operation.objects.filter(
        kind=Kind.REVERSAL, params__transfer=event.object_id, stripe_id__isnull=True, first_sent_at__isnull=False
    )
    waiting = {str(operation.pk): operation for operation in open_}
    news = False
    query = Read(what="transfers.reversals", parent=event.object_id)
    for found in gateway.pages(query) if waiting else ():
        operation = waiting.get(str((found.get("metadata") or {}).get("operation_id")))
        news = (operation is not None and seen.tell(operation, found, now=now)) or news
    return news


def _deposit_of(event: StripeEvent) -> Operation:
    found = event.body["data"]["object"]
    intent = str(found.get("payment_intent") or "")
    operation = Operation.objects.filter(kind=Kind.DEPOSIT, stripe_id=intent).first() if intent else None
    if operation is None:
        raise NoneOfOurs(f"{event.object_id} is the charge of no deposit of ours.")
    return operation


def _tell(operation: Operation, now: datetime, *, stripe_id: str = "") -> bool:
    found = seen.fetch(operation, stripe_id or str(operation.stripe_id))
    with transaction.atomic():
        return seen.tell(operation, found, now=now)


def _old(now: datetime, limit: int) -> list[int]:
    over = StripeEvent.objects.filter(state__in=[EventState.HANDLED, EventState.IGNORED], received_at__lt=now - KEPT)
    return list(over.order_by("id").values_list("pk", flat=True)[:limit])


ARCHIVABLE = Archivable(name="stripe events", table="payments_stripeevent", key="bigint", due=_old)
