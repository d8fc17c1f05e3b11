"""Projects and milestones."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.db import transaction

from jobs.database import now
from payments import currencies, letters, locks, milestones
from payments.models import Milestone, Project
from payments.money import InvalidMoney, Money
from payments.refusals import Refused
from payments.roles import Person, require_freelancer
from payments.services.requested import refuse_while_disputed
from payments.states import MilestoneStatus
from payments.transactions import transactional

TITLE_LENGTH = 200


@transactional
def create_project(*, client: Person, freelancer_id: int, title: str, currency: str) -> Project:
    """A project of this client with a freelancer, in one of PAYMENTS_CURRENCIES.

    Raises Refused: not_a_client, no_such_freelancer, invalid_title, invalid_currency.
    """
    if client.role != "client":
        raise Refused("not_a_client", "Only a client opens a project.")
    freelancers = get_user_model().objects.filter(pk=freelancer_id, role="freelancer", is_active=True)
    if not freelancers.exists():
        raise Refused("no_such_freelancer", "There is no freelancer with this id.")
    try:
        currencies.require_allowed(currency)
    except currencies.UnknownCurrency as error:
        raise Refused("invalid_currency", str(error)) from None
    return Project.objects.create(
        client_id=client.pk, freelancer_id=freelancer_id, title=_title(title), currency=currency
    )


def add_milestone(*, project: Project, by: Person, title: str, amount: object) -> Milestone:
    """A milestone of `amount` minor units of the project's currency; it is a draft until it is paid for.

    Raises Refused: not_your_project, invalid_title, invalid_amount, amount_too_small, amount_too_large.
    """
    if project.client_id != by.pk:
        raise Refused("not_your_project", "Only the client of this project may add milestones to it.")
    money = _chargeable(amount, project.currency)
    with transaction.atomic():
        return Milestone.objects.create(project=project, title=_title(title), amount=money.minor)


@transactional
def deliver(milestone_id: int, *, by: Person) -> Milestone:
    """The freelancer says that the work is done; saying it twice changes nothing.

    Raises Refused: no_such_milestone, not_your_milestone, milestone_disputed, not_funded, already_settled.
    """
    milestone = locks.milestone(milestone_id)
    require_freelancer(by, milestone, to="deliver")
    refuse_while_disputed(milestone)
    if milestone.status == MilestoneStatus.DELIVERED:
        return milestone
    if milestone.status in (MilestoneStatus.DRAFT, MilestoneStatus.FUNDING):
        raise Refused("not_funded", "This milestone is not paid for yet; work is delivered after that.")
    if milestone.status != MilestoneStatus.FUNDED:
        raise Refused("already_settled", f"This milestone is {milestone.status}; nothing is left to deliver.")
    milestones.move(milestone, MilestoneStatus.DELIVERED, now=now())
    letters.milestone_delivered(milestone)
    return milestone


def _chargeable(amount: object, currency: str) -> Money:
    """An amount that Stripe can charge."""
    try:
        money = Money.of(amount, currency)
    except InvalidMoney as error:
        raise Refused("invalid_amount", str(error)) from None
    least = Money(currencies.minimum_charge(currency), currency)
    if money.minor < least.minor:
        raise Refused("amount_too_small", f"A card can be charged {least} or more, got {money}.")
    if money.minor > currencies.MAXIMUM_CHARGE:
        most = Money(currencies.MAXIMUM_CHARGE // currencies.step(currency) * currencies.step(currency), currency)
        raise Refused("amount_too_large", f"A card can be charged {most} at most, got {money}: make two milestones.")
    return money


def _title(title: object) -> str:
    if not isinstance(title, str) or not title.strip():
        raise Refused("invalid_title", "A title says what it is about; it was empty.")
    if len(title) > TITLE_LENGTH or "\0" in title:
        raise Refused("invalid_title", f"A title has at most {TITLE_LENGTH} characters, and no NUL among them.")
    return title.strip()
