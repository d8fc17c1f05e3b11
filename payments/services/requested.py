"""What a service that asks for money to move gives back, and what all of them look at first."""

from __future__ import annotations

from typing import NamedTuple

from payments import operations
from payments.models import Milestone, Operation
from payments.money import Money
from payments.refusals import Refused
from payments.states import Kind, MilestoneStatus


class Requested(NamedTuple):
    """The operation, and whether this request made it."""

    operation: Operation
    created: bool


def refuse_while_disputed(milestone: Milestone) -> None:
    """Raise Refused (milestone_disputed)."""
    if milestone.status == MilestoneStatus.DISPUTED:
        raise Refused(
            "milestone_disputed",
            "A dispute about this milestone is open: no money moves until it is decided.",
        )


def refuse_during(milestone: Milestone, kind: Kind) -> None:
    """Raise Refused (release_in_progress, refund_in_progress) while money of the milestone is on another way."""
    if operations.live(kind, milestone=milestone):
        raise Refused(
            f"{kind}_in_progress", f"A {kind} of this milestone is under way; wait until it is done or refused."
        )


def amount_of(milestone: Milestone) -> Money:
    """What was agreed on."""
    return Money(milestone.amount, milestone.project.currency)


def paid_deposit(milestone: Milestone) -> Operation:
    """The deposit whose charge the milestone's money came by. Raises Refused (not_funded)."""
    found = milestone.operations.filter(kind=Kind.DEPOSIT, booked_at__isnull=False).order_by("-id").first()
    if found is None:
        raise Refused("not_funded", "No money was paid for this milestone yet.")
    return found
