"""The money is on its way to the freelancer's bank, arrived, or came back."""

from __future__ import annotations

import uuid
from datetime import datetime

from payments import ledger, letters, locks, operations
from payments.facts import PayoutState, StripePayout
from payments.models import Operation
from payments.outcomes.contradictions import require_fit
from payments.states import Kind, Status
from payments.transactions import transactional

STATUS = {
    PayoutState.PENDING: Status.PENDING,
    PayoutState.IN_TRANSIT: Status.IN_BANK_TRANSIT,
    PayoutState.PAID: Status.PAID,
    PayoutState.FAILED: Status.FAILED_RETURNED,
    PayoutState.CANCELED: Status.CANCELED,
}


@transactional
def withdrawal_seen(operation_id: uuid.UUID, payout: StripePayout, *, now: datetime) -> bool:
    """A payout as it is now; a failure is believed from any state, also after it was paid. Raises Contradiction."""
    withdrawal = locks.operation(operation_id)
    require_fit(withdrawal, kind=Kind.WITHDRAWAL, stripe_id=payout.id, amount=payout.amount)
    news = operations.confirm(withdrawal, stripe_id=payout.id, status=Status.PENDING, now=now)
    booked = bool(payout.balance_transaction) and operations.book(withdrawal, now=now)
    if booked:
        ledger.post_withdrawal(withdrawal, stripe_ref=payout.balance_transaction)
        news = True
    if payout.state in (PayoutState.FAILED, PayoutState.CANCELED):
        return _came_back(withdrawal, payout) or news
    if booked:
        letters.withdrawal_sent(withdrawal)
    return operations.advance_status(withdrawal, STATUS[payout.state]) or news


def _came_back(withdrawal: Operation, payout: StripePayout) -> bool:
    """It failed. Once its money left Stripe's balance it is back only when Stripe says by which transaction."""
    if withdrawal.booked_at is not None and not payout.failure_balance_transaction:
        return False
    if not operations.advance_status(withdrawal, STATUS[payout.state]):
        return False
    operations.note_error(withdrawal, code=payout.state, error=payout.failure)
    letters.withdrawal_returned(withdrawal, code=payout.failure_code, failure=payout.failure)
    if withdrawal.booked_at is None:
        return ledger.void_hold(withdrawal)
    return ledger.return_withdrawal(withdrawal, stripe_ref=payout.failure_balance_transaction)
