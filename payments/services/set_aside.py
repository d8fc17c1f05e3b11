"""Something was paid for a deposit, but not what was asked for: it lies in suspense, and staff give all of it back.

Only when the payer has it back (outcomes/refund.py) the deposit is closed, and its milestone may be funded anew.
"""

from __future__ import annotations

import uuid

from django.db.models import Sum

from payments import ledger, locks, operations, params, tasks
from payments.models import Operation, Transfer
from payments.models.ledger import Phase
from payments.money import Money
from payments.refusals import Refused
from payments.roles import Person, is_staff
from payments.services.requested import Requested, refuse_during
from payments.states import Kind, Status
from payments.transactions import transactional

CAME_BACK = (Status.REJECTED, Status.FAILED_RETURNED)
"""Refunds after which the money is in suspense again."""


@transactional
def refund_set_aside(deposit_id: uuid.UUID, *, by: Person, reason: str) -> Requested:
    """Hold all that lies in suspense of this deposit, to be refunded to its payer.

    Asking again returns the refund that is under way. Raises Refused: staff_only, reason_missing,
    nothing_set_aside, refund_in_progress; Operation.DoesNotExist.
    """
    if not is_staff(by):
        raise Refused("staff_only", "Only our staff give back what was set aside.")
    if not reason.strip() or "\0" in reason:
        raise Refused("reason_missing", "Say why: the others will ask.")
    deposit = locks.operation(deposit_id)
    known = operations.live(Kind.REFUND, parent=deposit)
    if known:
        return Requested(known, created=False)
    left = set_aside(deposit)
    if deposit.milestone is None or left is None:
        raise Refused("nothing_set_aside", f"Nothing that was paid for {deposit} lies in suspense.")
    refuse_during(deposit.milestone, Kind.REFUND)
    refund = _create(deposit, left, by, reason.strip())
    ledger.hold_refund(refund)
    tasks.enqueue(refund)
    return Requested(refund, created=True)


def set_aside(deposit: Operation) -> Money | None:
    """What lies in suspense of a deposit, what is under way back to its payer not counted; None when it is nothing."""
    if deposit.kind != Kind.DEPOSIT or deposit.booked_at is not None:
        return None
    received = Transfer.objects.filter(operation_id=deposit.pk, kind="suspense", phase=Phase.SINGLE).first()
    if received is None:
        return None
    back = deposit.children.exclude(status__in=CAME_BACK).aggregate(total=Sum("amount"))["total"] or 0
    return Money(received.amount - back, received.currency) if received.amount > back else None


def _create(deposit: Operation, left: Money, by: Person, reason: str) -> Operation:
    operation_id = operations.new_id()
    assert deposit.milestone is not None  # noqa: S101 - a deposit has one (constraint operation_milestone)
    return operations.create(
        operation_id=operation_id,
        kind=Kind.REFUND,
        amount=left,
        params=params.refund(operation_id, deposit.milestone.pk, amount=left, deposit=deposit),
        milestone=deposit.milestone,
        parent=deposit,
        requested_by=by.pk,
        reason=reason,
    )
