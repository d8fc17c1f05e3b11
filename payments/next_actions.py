"""What somebody may do next with a milestone: the services' own rules, looked at without trying.

Only a look: the services decide, under the milestone's lock.
"""

from __future__ import annotations

from enum import StrEnum

from payments import operations
from payments.models import Milestone, PayoutAccount
from payments.models.account import PayoutStatus
from payments.roles import Person, is_client, is_freelancer, is_staff
from payments.states import WITH_MONEY, DisputeStatus, Kind, MilestoneStatus


class Action(StrEnum):
    """The verbs of the API."""

    PAY = "pay"
    DELIVER = "deliver"
    APPROVE = "approve"
    REFUND = "refund"
    DISPUTE = "dispute"
    RESOLVE = "resolve"


NOT_PAID = (MilestoneStatus.DRAFT, MilestoneStatus.FUNDING)


def of(milestone: Milestone, person: Person) -> list[Action]:
    """In the order in which they usually happen."""
    return [action for action, may in _RULES if may(milestone, person)]


def _may_pay(milestone: Milestone, person: Person) -> bool:
    if not is_client(person, milestone):
        return False
    if milestone.status == MilestoneStatus.DRAFT:
        return True
    return (
        milestone.status == MilestoneStatus.FUNDING and operations.live(Kind.DEPOSIT, milestone=milestone) is not None
    )


def _may_deliver(milestone: Milestone, person: Person) -> bool:
    return is_freelancer(person, milestone) and milestone.status == MilestoneStatus.FUNDED


def _may_approve(milestone: Milestone, person: Person) -> bool:
    if not (is_client(person, milestone) or is_staff(person)) or milestone.status not in WITH_MONEY:
        return False
    return _still(milestone) and _payee_is_ready(milestone)


def _may_refund(milestone: Milestone, person: Person) -> bool:
    if is_staff(person):
        from_here = milestone.status in (*WITH_MONEY, MilestoneStatus.RELEASED)
    else:
        from_here = is_client(person, milestone) and milestone.status == MilestoneStatus.FUNDED
    return from_here and _still(milestone)


def _may_dispute(milestone: Milestone, person: Person) -> bool:
    if not (is_client(person, milestone) or is_freelancer(person, milestone) or is_staff(person)):
        return False
    return milestone.status not in (*NOT_PAID, MilestoneStatus.LOST) and not _disputed_here(milestone)


def _may_resolve(milestone: Milestone, person: Person) -> bool:
    return is_staff(person) and _disputed_here(milestone)


_RULES = (
    (Action.PAY, _may_pay),
    (Action.DELIVER, _may_deliver),
    (Action.APPROVE, _may_approve),
    (Action.REFUND, _may_refund),
    (Action.DISPUTE, _may_dispute),
    (Action.RESOLVE, _may_resolve),
)


def _still(milestone: Milestone) -> bool:
    """No money of it is under way."""
    return not any(operations.live(kind, milestone=milestone) for kind in (Kind.RELEASE, Kind.REFUND))


def _payee_is_ready(milestone: Milestone) -> bool:
    return PayoutAccount.objects.filter(
        user_id=milestone.project.freelancer_id, status=PayoutStatus.ACTIVE, transfers_enabled=True
    ).exists()


def _disputed_here(milestone: Milestone) -> bool:
    return milestone.disputes.filter(status=DisputeStatus.OPEN, stripe_id__isnull=True).exists()
