"""The client pays for a milestone."""

from __future__ import annotations

from jobs.database import now
from payments import locks, milestones, operations, params, tasks
from payments.models import Milestone
from payments.refusals import Refused
from payments.roles import Person, require_client
from payments.services.requested import Requested, amount_of
from payments.states import Kind, MilestoneStatus
from payments.transactions import transactional


@transactional
def request_deposit(milestone_id: int, *, by: Person) -> Requested:
    """Ask for the milestone's amount; asking again while it is awaited returns the same operation.

    Raises Refused: no_such_milestone, not_your_milestone, already_funded, deposit_needs_staff.
    """
    milestone = locks.milestone(milestone_id)
    require_client(by, milestone, to="fund")
    awaited = operations.live(Kind.DEPOSIT, milestone=milestone)
    if awaited:
        return Requested(awaited, created=False)
    _refuse_unless_draft(milestone)
    milestones.move(milestone, MilestoneStatus.FUNDING, now=now())
    operation_id, amount = operations.new_id(), amount_of(milestone)
    deposit = operations.create(
        operation_id=operation_id,
        kind=Kind.DEPOSIT,
        amount=amount,
        params=params.deposit(operation_id, milestone, amount),
        milestone=milestone,
        requested_by=by.pk,
    )
    return _enqueue(Requested(deposit, created=True))


def _refuse_unless_draft(milestone: Milestone) -> None:
    if milestone.status == MilestoneStatus.DRAFT:
        return
    if milestone.status == MilestoneStatus.FUNDING:  # its deposit is neither awaited nor given up
        raise Refused("deposit_needs_staff", "Something else than the amount was paid. Our staff look at it.")
    raise Refused("already_funded", "This milestone was paid for already.")


def _enqueue(requested: Requested) -> Requested:
    """The one place where a new deposit becomes a job, in the same transaction."""
    tasks.enqueue(requested.operation)
    return requested
