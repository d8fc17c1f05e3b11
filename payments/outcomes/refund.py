"""The client gets money back, or the refund failed."""

from __future__ import annotations

import uuid
from datetime import datetime

from payments import ledger, letters, locks, milestones, operations
from payments.facts import RefundState, StripeRefund
from payments.ledger import accounts
from payments.models import Milestone, Operation
from payments.outcomes.contradictions import TooEarly, require_fit
from payments.states import Kind, MilestoneStatus, Status
from payments.transactions import transactional

STATUS = {
    RefundState.PENDING: Status.PENDING,
    RefundState.REQUIRES_ACTION: Status.PENDING,
    RefundState.SUCCEEDED: Status.REFUNDED,
}


@transactional
def refund_seen(operation_id: uuid.UUID, found: StripeRefund, *, now: datetime) -> bool:
    """A refund as it is now. Raises Contradiction; TooEarly while its reversal is not known to be done."""
    refund = locks.operation(operation_id)
    require_fit(refund, kind=Kind.REFUND, stripe_id=found.id, amount=found.amount)
    if refund.status == Status.REVERSING:
        raise TooEarly(f"{refund} waits for the reversal of the transfer, as far as we know.")
    news = operations.confirm(refund, stripe_id=found.id, status=Status.PENDING, now=now)
    if found.balance_transaction and operations.book(refund, now=now):
        ledger.post_refund(refund, stripe_ref=found.balance_transaction)
        news = True
    if found.state in (RefundState.FAILED, RefundState.CANCELED):
        return _failed(refund, found, now) or news
    news = operations.advance_status(refund, STATUS[found.state]) or news
    if news:
        _end(refund, now)
    return news


def _failed(refund: Operation, found: StripeRefund, now: datetime) -> bool:
    """Nothing arrived. Once the platform was debited the money is back only when Stripe says by which transaction."""
    if refund.booked_at is not None and not found.failure_balance_transaction:
        return False
    was_told = refund.booked_at is not None and refund.status == Status.REFUNDED
    if not operations.advance_status(refund, Status.FAILED_RETURNED):
        return False
    letters.refund_failed(refund, was_told=was_told)
    operations.note_error(refund, code=found.state, error=found.failure)
    if refund.booked_at is None:
        return ledger.void_hold(refund)
    milestone = refund.milestone if refund.parent_id is None else None
    if milestone is not None and milestones.standing(milestone) == MilestoneStatus.REFUNDED:
        milestones.back_to_work(milestone, now=now)
    return ledger.return_refund(refund, stripe_ref=found.failure_balance_transaction)


def _end(refund: Operation, now: datetime) -> None:
    milestone = refund.milestone
    if milestone is None or refund.booked_at is None or refund.status != Status.REFUNDED:
        return
    if refund.parent_id:
        _end_deposit(refund, milestone, now)
    else:
        _end_milestone(refund, milestone, now)
    letters.refunded(refund)


def _end_deposit(refund: Operation, milestone: Milestone, now: datetime) -> None:
    """What was set aside of a deposit is back with its payer: the milestone may be funded anew."""
    deposit = locks.parent(refund)
    if operations.advance_status(deposit, Status.CANCELED):
        milestones.move(milestone, MilestoneStatus.DRAFT, now=now)


def _end_milestone(refund: Operation, milestone: Milestone, now: datetime) -> None:
    """The milestone is refunded when nothing is held for it any more and nothing of it is the freelancer's."""
    released = milestone.operations.filter(status__in=[Status.TRANSFERRED, Status.PARTLY_REVERSED])
    if ledger.balance(accounts.escrow(milestone.pk, refund.currency).code) == 0 and not released.exists():
        milestones.move(milestone, MilestoneStatus.REFUNDED, now=now)
