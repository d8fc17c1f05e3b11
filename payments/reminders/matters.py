"""What waits for whom, as the rows say it now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet

from payments.letters.readers import Account, Reader, between
from payments.models import Dispute, Milestone, Operation
from payments.models.operation import LIVE
from payments.reminders.policy import Matter, Reason, spans
from payments.states import WITH_MONEY, DisputeStatus, Kind, MilestoneStatus, Status

type Row = Milestone | Dispute
type Rows = QuerySet[Milestone] | QuerySet[Dispute]


@dataclass(frozen=True)
class Case:
    """A matter, with what a letter about it needs."""

    matter: Matter
    row: Row
    reader: Reader

    @property
    def milestone(self) -> Milestone:
        """The milestone that it is about."""
        return self.row.milestone if isinstance(self.row, Dispute) else self.row


@dataclass(frozen=True)
class _Rule:
    """Of which rows a reason stands, since when, and who of client and freelancer is reminded."""

    rows: Callable[[], Rows]
    since: str
    readers: Callable[[Row, Reader, Reader], Iterable[Reader]]


def standing(reason: Reason) -> Rows:
    """The rows for which there is this reason now."""
    return _RULES[reason].rows()


def near(reason: Reason, *, now: datetime) -> Rows:
    """Those of which a stage may be due now."""
    since = _RULES[reason].since
    between_them = (Q(**{f"{since}__range": span}) for span in spans(reason, now=now))
    return standing(reason).filter(reduce(or_, between_them))


def cases(reason: Reason, rows: Iterable[Row]) -> Iterator[Case]:
    """Whom these rows wait for; nobody whose account is switched off."""
    rule, found = _RULES[reason], list(rows)
    projects = [(row.milestone if isinstance(row, Dispute) else row).project for row in found]
    people = get_user_model().objects.in_bulk({pk for one in projects for pk in (one.client_id, one.freelancer_id)})
    for row, project in zip(found, projects, strict=True):
        client, freelancer = between(people[project.client_id], people[project.freelancer_id])
        for reader in rule.readers(row, client, freelancer):
            if reader.account.is_active:
                yield Case(_matter(reason, row, getattr(row, rule.since), reader.account), row, reader)


def _matter(reason: Reason, row: Row, since: datetime, account: Account) -> Matter:
    return Matter(reason=reason, row=row.pk, since=since, user=account.pk, time_zone=account.time_zone)


def _milestones(*statuses: MilestoneStatus) -> QuerySet[Milestone]:
    return Milestone.objects.select_related("project").filter(status__in=statuses)


def _unfunded() -> QuerySet[Milestone]:
    """Not those of which a payment is on its way, as a bank's may be for days, or needs our staff."""
    paying = Operation.objects.filter(milestone=OuterRef("pk"), kind=Kind.DEPOSIT)
    begun = Exists(paying.filter(status__in=[Status.PROCESSING, Status.MANUAL]))
    return _milestones(MilestoneStatus.DRAFT, MilestoneStatus.FUNDING).exclude(begun)


def _unapproved() -> QuerySet[Milestone]:
    """Approving makes a release at once, which takes its time; so does a refund."""
    return _milestones(MilestoneStatus.DELIVERED).exclude(_leaving())


def _held() -> QuerySet[Milestone]:
    """Also while a dispute lasts: Stripe's limit does not wait for it."""
    held = Q(status__in=WITH_MONEY) | Q(status=MilestoneStatus.DISPUTED, resumes_as__in=WITH_MONEY)
    return Milestone.objects.select_related("project").filter(held).exclude(_leaving())


def _disputes() -> QuerySet[Dispute]:
    """Those of a bank are answered by us, not by the parties."""
    ours = Dispute.objects.filter(status=DisputeStatus.OPEN, stripe_id__isnull=True)
    return ours.select_related("milestone__project")


def _leaving() -> Exists:
    """Whether a milestone's money is about to leave."""
    leaving = Operation.objects.filter(LIVE, milestone=OuterRef("pk"), kind__in=[Kind.RELEASE, Kind.REFUND])
    return Exists(leaving)


def _client(_row: Row, client: Reader, _freelancer: Reader) -> Iterable[Reader]:
    return (client,)


def _both(_row: Row, client: Reader, freelancer: Reader) -> Iterable[Reader]:
    return client, freelancer


def _asked(row: Row, client: Reader, freelancer: Reader) -> Iterable[Reader]:
    """Who did not open the dispute; both when our staff did."""
    opener = row.opened_by_id if isinstance(row, Dispute) else None
    return [reader for reader in (client, freelancer) if reader.account.pk != opener]


_RULES: dict[Reason, _Rule] = {
    Reason.UNFUNDED: _Rule(_unfunded, "created_at", _client),
    Reason.UNAPPROVED: _Rule(_unapproved, "delivered_at", _client),
    Reason.DISPUTE: _Rule(_disputes, "opened_at", _asked),
    Reason.HELD: _Rule(_held, "funded_at", _both),
}
