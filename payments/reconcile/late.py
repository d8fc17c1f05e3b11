"""What takes longer than it should: looked at, and told of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from jobs.database import rows
from payments import ledger, outcomes, seen
from payments.disputes import DISPUTED
from payments.models import Operation, PayoutAccount, StripeEvent
from payments.models.account import PayoutStatus
from payments.models.inbox import EventState
from payments.models.reconciliation import Bucket
from payments.money import Money
from payments.reconcile.findings import Findings
from payments.reconcile.sides import Side
from payments.reconcile.window import Window
from payments.states import Dispatch, Kind, Status

IN_DOUBT = timedelta(minutes=15)
UNHANDLED = timedelta(minutes=5)
UNPAID = timedelta(minutes=10)
IN_TRANSIT = timedelta(days=7)
"""A bank takes five business days at most."""
HELD = timedelta(hours=24)
"""No key lives longer: by then every request is decided, or a person's to decide. A dispute may last, though."""


def tell_late(window: Window, findings: Findings, *, apply: Callable[[StripeEvent], object]) -> None:
    """Everything that is late, of every kind. `apply` writes the job of an event. Raises GatewayError."""
    now = window.until
    _doubts(findings, now)
    _left_alone(findings, now)
    _inbox(findings, now, apply)
    _contradicting(findings)
    _deposits(findings, window)
    _payouts(findings, now)
    _holds(findings, now)
    _lost_accounts(findings)


def _doubts(findings: Findings, now: datetime) -> None:
    in_doubt = Operation.objects.filter(dispatch__in=[Dispatch.SENT, Dispatch.UNKNOWN])
    for operation in in_doubt.filter(first_sent_at__lte=now - IN_DOUBT).order_by("id").iterator():
        words = f"Nobody knows whether Stripe did {operation} since {operation.first_sent_at:%Y-%m-%d %H:%M} UTC."
        findings.open(Bucket.DOUBT, str(operation.pk), f"{words} {operation.error}".strip(), **_about(operation))


_LEFT_ALONE = """
SELECT o.id FROM payments_operation o LEFT JOIN jobs_job j ON j.id = o.job_id
WHERE o.dispatch IN ('ready', 'parked') AND o.status <> 'rejected' AND o.created_at <= %(before)s
  AND (j.id IS NULL OR j.state IN ('failed', 'cancelled', 'completed'))
ORDER BY o.id
"""


def _left_alone(findings: Findings, now: datetime) -> None:
    """Never sent, and no job will: it failed before that, was cancelled, or is gone."""
    for (operation_id,) in rows(_LEFT_ALONE, {"before": now - IN_DOUBT}):
        operation = Operation.objects.get(pk=operation_id)
        words = f"No job drives {operation} any more; it is {operation.dispatch} and was never sent. Run it again."
        findings.open(Bucket.DOUBT, str(operation.pk), words, **_about(operation))


def _inbox(findings: Findings, now: datetime, apply: Callable[[StripeEvent], object]) -> None:
    waiting = StripeEvent.objects.filter(state=EventState.RECEIVED, received_at__lte=now - UNHANDLED)
    for event in waiting.order_by("id").iterator():
        apply(event)
        words = f"Event {event.event_id} ({event.type}) came at {event.received_at:%Y-%m-%d %H:%M} UTC and was not "
        words += "understood yet; its job is written again."
        about = {"account": event.account, "stripe_id": event.event_id}
        findings.open(Bucket.INBOX, event.event_id, words, **about)


def _contradicting(findings: Findings) -> None:
    """Events whose object cannot be booked as Stripe tells it. A person looks, and has it understood again."""
    for event in StripeEvent.objects.filter(state=EventState.FAILED).order_by("id").iterator():
        words = f"Event {event.event_id} ({event.type}, {event.object_id}) contradicts the books: {event.error}"
        findings.open(Bucket.INBOX, event.event_id, words, account=event.account, stripe_id=event.event_id)


def _deposits(findings: Findings, window: Window) -> None:
    """Look at PaymentIntents of the window that nobody paid yet, as far as we know. Money of older ones is compared."""
    waiting = Operation.objects.filter(
        kind=Kind.DEPOSIT,
        dispatch=Dispatch.CONFIRMED,
        status__in=[Status.AWAITING_PAYMENT, Status.PROCESSING, Status.FAILED],
        confirmed_at__range=(window.since, window.until - UNPAID),
    )
    for deposit in waiting.order_by("id").iterator():
        if _look(deposit, findings, window.until):
            words = f"{deposit.stripe_id} had become {deposit.status}, and nobody had told {deposit}."
            findings.put_right(Bucket.ADOPTED, str(deposit.pk), words, **_about(deposit))


def _payouts(findings: Findings, now: datetime) -> None:
    travelling = Operation.objects.filter(
        kind=Kind.WITHDRAWAL,
        dispatch=Dispatch.CONFIRMED,
        status__in=[Status.PENDING, Status.IN_BANK_TRANSIT],
        confirmed_at__lte=now - IN_TRANSIT,
    )
    gone = PayoutAccount.objects.filter(status=PayoutStatus.DEAUTHORIZED).values("stripe_account")
    for payout in travelling.exclude(stripe_account__in=gone).order_by("id").iterator():
        _look(payout, findings, now)
        if payout.status in (Status.PENDING, Status.IN_BANK_TRANSIT):
            words = f"{payout.stripe_id} is on its way to the bank since {payout.confirmed_at:%Y-%m-%d}."
            findings.open(Bucket.PAYOUT, str(payout.pk), words, **_about(payout))


_HELD = """
SELECT t.id, t.operation_id, t.amount, t.currency, t.created_at
FROM ledger_transfer t JOIN payments_operation o ON o.id = t.operation_id
WHERE t.phase = 'pending' AND t.created_at <= %(before)s AND o.booked_at IS NULL
  AND NOT (o.dispatch = 'parked' AND o.error_code = %(disputed)s)
  AND NOT EXISTS (SELECT 1 FROM ledger_transfer r WHERE r.pending_id = t.id)
ORDER BY t.created_at, t.id
"""


def _holds(findings: Findings, now: datetime) -> None:
    for row, operation_id, amount, currency, at in rows(_HELD, {"before": now - HELD, "disputed": DISPUTED}):
        operation = Operation.objects.get(pk=operation_id)
        words = (
            f"{Money(amount, currency)} are held for {operation} ({operation.dispatch}) since {at:%Y-%m-%d %H:%M} UTC."
        )
        about = {"operation": operation, "ledger_ref": row, "amount": amount, "currency": currency}
        findings.open(Bucket.HOLD, f"hold {row}", words, **about)


def _lost_accounts(findings: Findings) -> None:
    """Connected accounts whose owners took them away from us while money of the books lies there."""
    gone = PayoutAccount.objects.filter(status=PayoutStatus.DEAUTHORIZED).order_by("id")
    for account in gone.values_list("stripe_account", flat=True):
        for currency, amount in Side(account).booked().items():
            if amount:
                words = f"{account} was disconnected by its owner; the books say that {amount} {currency} lie there, "
                words += "in minor units, and Stripe does not tell us any more."
                about = {"account": account, "amount": amount, "currency": currency}
                findings.open(Bucket.ACCOUNT, f"{account}:{currency}", words, **about)


def _look(operation: Operation, findings: Findings, now: datetime) -> bool:
    """Read its object and let the books agree; whether it was news."""
    try:
        found = seen.fetch(operation, str(operation.stripe_id))
        with transaction.atomic():
            news = seen.tell(operation, found, now=now)
    except (outcomes.Contradiction, outcomes.TooEarly, ledger.LedgerConflict) as wrong:
        findings.open(Bucket.CONTRADICTION, str(operation.pk), str(wrong), **_about(operation))
        return False
    operation.refresh_from_db()
    return news


def _about(operation: Operation) -> dict[str, Any]:
    return {
        "operation": operation, "account": operation.stripe_account, "stripe_id": operation.stripe_id or "",
        "amount": operation.amount, "currency": operation.currency,
    }  # fmt: skip
