"""One reconciliation."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from jobs.database import now as database_now
from payments import onboarding, recovery
from payments.gateway import GatewayError
from payments.models import Reconciliation, StripeEvent
from payments.models.reconciliation import Bucket
from payments.reconcile import compare, late, missed, totals
from payments.reconcile.findings import LATE, Findings, all_explained
from payments.reconcile.sides import Side, connected, is_gone
from payments.reconcile.window import Window, window

logger = logging.getLogger(__name__)


def run(
    *, hours: int, full: bool, apply: Callable[[StripeEvent], object], now: datetime | None = None
) -> Reconciliation:
    """Compare the last `hours` and what was left out since the last time; a clean run ends the pause after a restore.

    `full`: Stripe's events and the invariants of the books as well. `apply` writes the job of an event. What is found
    stays found if Stripe does not answer in the middle; the run is then not finished. Raises GatewayError, ValueError.
    """
    if hours < 1:
        raise ValueError(f"A reconciliation looks back at least one hour, got {hours}.")
    moment = now or database_now()
    span = window(hours=hours, now=moment)
    row = Reconciliation.objects.create(
        started_at=moment, window_start=span.since, window_end=span.until, full=full
    )  # fmt: skip
    findings = Findings(row, moment)
    _on_each_side(lambda side: _compare(side, span, findings), now=moment)
    late.tell_late(span, findings, apply=apply)
    if full:
        totals.check_invariants(findings)
        _on_each_side(
            lambda side: missed.fetch_missed(side, findings, since=span.since, now=moment, apply=apply), now=moment
        )
    _look_again(findings, full)
    return _finish(row, span, findings)


def _on_each_side(work: Callable[[Side], None], *, now: datetime) -> None:
    """The platform first: what it says explains the other end. An account that was taken away from us is noted."""
    work(Side())
    for side in connected():
        try:
            work(side)
        except GatewayError as error:
            onboarding.look(side.account, now=now)
            if not is_gone(side):
                raise
            logger.warning("%s cannot be compared any more: %s", side.account, error)


def _compare(side: Side, span: Window, findings: Findings) -> None:
    seen = compare.sweep(side, findings, since=int(span.since.timestamp()), now=span.until)
    findings.counts["matched"] += seen.matched
    totals.compare_balance(side, seen, findings, now=span.until)
    compare.check_rows(side, seen, span, findings)


def _look_again(findings: Findings, full: bool) -> None:
    """Close what earlier runs found and what is so no more."""
    findings.close(
        *findings.not_again(*LATE, Bucket.BALANCE, Bucket.CONTRADICTION, *([Bucket.INVARIANT] if full else []))
    )
    for found in findings.not_again(Bucket.AMOUNT_DIFFERS, Bucket.BOOK_ONLY):
        try:
            compare.look_again(Side(found.account), found, findings)
        except GatewayError as error:  # it stays open; other things may be closed
            logger.warning("%s cannot be looked at again: %s", found.about, error)


def _finish(row: Reconciliation, span: Window, findings: Findings) -> Reconciliation:
    with transaction.atomic():
        clean = all_explained(restored=span.restored is not None)
        row.finished_at, row.is_clean, row.counts = max(database_now(), row.started_at), clean, dict(findings.counts)
        row.save(update_fields=["finished_at", "is_clean", "counts"])
        if clean and span.restored and recovery.reconciled():
            logger.warning("everything since the restore is explained: payments go on")
    return row
