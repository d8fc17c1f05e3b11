"""Stripe refused, for good: what was held is given back."""

from __future__ import annotations

from datetime import datetime

from payments import ledger, letters, locks, milestones, operations
from payments.models import Operation
from payments.states import Kind, MilestoneStatus, Status
from payments.transactions import transactional


@transactional
def rejected(operation: Operation, *, code: str, error: str, now: datetime) -> bool:
    """An operation of any kind was not done and never will be, as its present attempt learned.

    A deposit lets its milestone be funded anew; a reversal takes its refund with it. False when it was
    confirmed, given up, or begun anew meanwhile.
    """
    current = locks.operation(operation.pk)
    waits = current.status == Status.REVERSING
    if current.attempt != operation.attempt or not operations.reject(current, code=code, error=error):
        return False
    if current.kind == Kind.DEPOSIT:
        if current.milestone is not None:
            milestones.move(current.milestone, MilestoneStatus.DRAFT, now=now)
    elif not waits:
        ledger.void_hold(current)
    if current.kind == Kind.REVERSAL:
        refund = locks.parent(current)
        if refund.status == Status.REVERSING:
            operations.reject(refund, code=code, error=f"The freelancer's part could not be taken back: {error}")
    if current.kind == Kind.WITHDRAWAL:
        letters.withdrawal_returned(current)
    operation.refresh_from_db()
    return True
