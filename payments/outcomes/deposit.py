"""The client paid, or did not."""

from __future__ import annotations

import uuid
from datetime import datetime

from payments import ledger, letters, locks, milestones, operations
from payments.facts import ChargeFee, Payment, PaymentState
from payments.models import Milestone, Operation
from payments.money import Money
from payments.outcomes.contradictions import Contradiction, TooEarly, require_fit
from payments.states import Kind, MilestoneStatus, Status
from payments.transactions import transactional

STATUS = {
    PaymentState.PROCESSING: Status.PROCESSING,
    PaymentState.DECLINED: Status.FAILED,
    PaymentState.CANCELED: Status.CANCELED,
}


@transactional
def deposit_seen(operation_id: uuid.UUID, payment: Payment, *, livemode: bool, now: datetime) -> bool:
    """A PaymentIntent as it is now. `livemode` is what our own key is.

    Money that is not what was asked for goes into suspense, and the operation waits for a person (status manual).
    Raises Contradiction, for a PaymentIntent of another operation or of the other mode.
    """
    deposit = locks.operation(operation_id)
    require_fit(deposit, kind=Kind.DEPOSIT, stripe_id=payment.id)
    if payment.livemode != livemode:
        raise Contradiction(f"{payment.id} is of {'live' if payment.livemode else 'test'} mode, our key is not.")
    news = operations.confirm(deposit, stripe_id=payment.id, status=Status.AWAITING_PAYMENT, now=now)
    if payment.state == PaymentState.SUCCEEDED:
        return _paid(deposit, payment, now) or news
    if payment.state in STATUS and operations.advance_status(deposit, STATUS[payment.state]):
        operations.note_error(deposit, code="", error=payment.error)
        if payment.state == PaymentState.CANCELED:
            milestones.move(_milestone(deposit), MilestoneStatus.DRAFT, now=now)
        return True
    return news


@transactional
def fee_seen(operation_id: uuid.UUID, charge: ChargeFee) -> bool:
    """What Stripe kept of a deposit's charge. Raises TooEarly before the deposit is booked, Contradiction."""
    deposit = locks.operation(operation_id)
    if deposit.booked_at is None:
        raise TooEarly(f"{deposit} is not paid yet, as far as we know.")
    if deposit.charge != charge.charge:
        raise Contradiction(f"{charge.charge} is not the charge of {deposit}.")
    if charge.fee.currency != deposit.currency:
        raise Contradiction(f"{charge.charge} was settled in {charge.fee.currency}; nothing is converted here.")
    return bool(charge.fee) and ledger.stripe_fee(deposit, charge.fee, stripe_ref=charge.balance_transaction)


def _paid(deposit: Operation, payment: Payment, now: datetime) -> bool:
    wrong = _mismatch(deposit, payment)
    if wrong:
        return _set_aside(deposit, payment, wrong)
    if not operations.advance_status(deposit, Status.HELD):
        return False
    operations.note_charge(deposit, payment.charge)
    operations.note_error(deposit, code="", error="")
    operations.book(deposit, now=now)
    ledger.deposit_confirmed(deposit, stripe_ref=payment.charge)
    milestones.move(_milestone(deposit), MilestoneStatus.FUNDED, now=now)
    letters.deposit_confirmed(deposit)
    return True


def _mismatch(deposit: Operation, payment: Payment) -> str:
    """How what was paid differs from what was asked for; empty when it does not."""
    asked = Money(deposit.amount, deposit.currency)
    if payment.received != asked:
        return f"{payment.id} received {payment.received}; {asked} was asked for."
    if payment.milestone_id != str(deposit.milestone_id):
        return f"{payment.id} names milestone {payment.milestone_id or 'none'}, not {deposit.milestone_id}."
    if not payment.charge:
        return f"{payment.id} has no charge, so nothing could be released from it."
    return ""


def _set_aside(deposit: Operation, payment: Payment, wrong: str) -> bool:
    if not operations.advance_status(deposit, Status.MANUAL):
        return False
    operations.note_error(deposit, code="deposit_mismatch", error=wrong)
    if payment.received:
        ledger.unexplained(payment.id, payment.received, incoming=True, operation_id=deposit.pk)
    return True


def _milestone(deposit: Operation) -> Milestone:
    if deposit.milestone is None:
        raise Contradiction(f"{deposit} has no milestone.")
    return deposit.milestone
