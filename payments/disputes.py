"""Opening and ending disputes: freezing the milestone, parking what was not sent yet. Callers hold its lock."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from payments import ledger, letters, milestones, operations
from payments.models import Dispute, Milestone, Operation
from payments.states import Dispatch, DisputeStatus, Kind, Resolution, Status

DISPUTED = "milestone_disputed"
"""Error code of an operation that is parked because of a dispute; none but such is unparked at its end."""


def freeze(milestone: Milestone) -> None:
    """Nothing of this milestone's money is sent from here on. What is under way may still come out either way."""
    milestones.freeze(milestone)
    for operation in _of(milestone, Dispatch.READY):
        operations.park(operation, code=DISPUTED, error="Its milestone is disputed.")


def open_here(milestone: Milestone, *, by: int, reason: str) -> Dispute:
    """Client, freelancer or staff object."""
    freeze(milestone)
    dispute = Dispute.objects.create(milestone=milestone, opened_by_id=by, reason=reason)
    letters.dispute_opened(dispute)
    return dispute


def open_at_stripe(milestone: Milestone, *, stripe_id: str, reason: str) -> tuple[Dispute, bool]:
    """The client's bank objects; with whether that is news."""
    dispute, new = Dispute.objects.get_or_create(
        stripe_id=stripe_id, defaults={"milestone": milestone, "reason": reason or "not given"}
    )
    if new:
        freeze(milestone)
        letters.dispute_opened(dispute)
    return dispute, new


def resolve(dispute: Dispute, *, by: int, resolution: Resolution, reason: str, now: datetime) -> bool:
    """Staff have decided. Operations that the decision goes against are given up, the others may be sent again."""
    won = _close(
        dispute, closed_at=now,
        status=DisputeStatus.RESOLVED, resolution=resolution, resolution_reason=reason, resolved_by_id=by,
    )  # fmt: skip
    if won:
        against = {Resolution.RELEASE: (Kind.REFUND, Kind.REVERSAL), Resolution.REFUND: (Kind.RELEASE,)}
        give_up_parked(dispute.milestone, kinds=against.get(resolution, ()), why="Decided against by staff.")
        _thaw(dispute.milestone)
        letters.dispute_closed(dispute)
    return won


def close_at_stripe(dispute: Dispute, *, status: DisputeStatus, now: datetime) -> bool:
    """The bank has decided: won or lost."""
    won = _close(dispute, closed_at=now, status=status)
    if won:
        _thaw(dispute.milestone)
        letters.dispute_closed(dispute)
    return won


def give_up_parked(milestone: Milestone, *, kinds: tuple[Kind, ...], why: str) -> None:
    """Reject unsent operations that the dispute parked, and give back what they hold.

    A reversal takes its refund with it, and the other way round: neither makes sense alone.
    """
    for operation in _of(milestone, Dispatch.PARKED).filter(kind__in=kinds):
        holds = operation.status != Status.REVERSING
        if operations.reject(operation, code="dispute_decided", error=why) and holds:
            ledger.void_hold(operation)


def _thaw(milestone: Milestone) -> None:
    """Let the milestone go, unless another dispute holds it."""
    if milestone.disputes.filter(status=DisputeStatus.OPEN).exists():
        return
    milestones.thaw(milestone)
    for operation in _of(milestone, Dispatch.PARKED).filter(error_code=DISPUTED):
        operations.unpark(operation)


def _of(milestone: Milestone, dispatch: Dispatch) -> QuerySet[Operation]:
    money_out = Operation.objects.filter(milestone=milestone, kind__in=operations.MONEY_OUT, dispatch=dispatch)
    return money_out.select_related("payout_account").select_for_update(of=("self",), no_key=True).order_by("id")


def _close(dispute: Dispute, **changes: Any) -> bool:
    won: bool = Dispute.objects.filter(pk=dispute.pk, status=DisputeStatus.OPEN).update(**changes) == 1
    if won:
        for name, value in changes.items():
            setattr(dispute, name, value)
    return won
