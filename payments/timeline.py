"""Everything that happened to a milestone's money, in one list: what was asked for, which jobs did it, what the books
and Stripe say, who objected.

Its client and freelancer see what is about their money; staff also see why a run failed, every row of the books that
its operations wrote, and the pages behind the ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import NoReverseMatch, reverse

from jobs import selectors
from payments.ledger import accounts
from payments.models import Dispute, Milestone, Operation, Transfer
from payments.models.ledger import Phase
from payments.money import Money
from payments.states import DisputeStatus

BOOKED = {
    Phase.SINGLE: "Booked",
    Phase.PENDING: "Held in the books",
    Phase.POST: "Held, and now booked",
    Phase.VOID: "No longer held",
}


@dataclass(frozen=True, kw_only=True)
class Link:
    """Something that a line is about; `href` is its page."""

    what: str
    id: str
    href: str | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that happened."""

    at: datetime
    what: str
    words: str
    money: Money | None = None
    links: list[Link] = field(default_factory=list)


def of(milestone: Milestone, *, staff: bool) -> list[Line]:
    """Oldest first. Of what has one time, what was asked for stands before what it caused."""
    operations = list(milestone.operations.order_by("id"))
    lines = list(_milestone(milestone))
    for operation in operations:
        lines += [*_operation(operation, staff), *_job(operation, staff)]
    lines += _disputes(milestone, staff)
    lines += [_transfer(row, staff) for row in _booked(milestone, operations, staff)]
    return sorted(lines, key=lambda line: line.at)


def _milestone(milestone: Milestone) -> Iterator[Line]:
    agreed = Money(milestone.amount, milestone.project.currency)
    said = f"“{milestone.title}” was agreed on."
    yield Line(at=milestone.created_at, what="milestone.created", words=said, money=agreed)
    if milestone.delivered_at:
        yield Line(at=milestone.delivered_at, what="milestone.delivered", words="The freelancer delivered the work.")


def _operation(operation: Operation, staff: bool) -> Iterator[Line]:
    asked, kind = Money(operation.amount, operation.currency), operation.kind
    here = [_row("operation", operation.pk, staff)]
    job = [_row("job", operation.job_id, staff)] if operation.job_id else []
    why = f" “{operation.reason}”" if operation.reason else ""
    yield Line(
        at=operation.created_at,
        what=f"{kind}.requested",
        words=f"A {kind} of {asked} was asked for; it is {operation.status} now.{why}",
        money=asked,
        links=here + job,
    )
    if operation.first_sent_at:
        words = f"Stripe was asked for the {kind} (attempt {operation.attempt})."
        yield Line(at=operation.first_sent_at, what=f"{kind}.sent", words=words, links=here)
    if operation.confirmed_at:
        links = [*here, _at_stripe(operation.stripe_id or "", staff)]
        yield Line(at=operation.confirmed_at, what=f"{kind}.confirmed", words=f"Stripe has the {kind}.", links=links)


def _job(operation: Operation, staff: bool) -> Iterator[Line]:
    """Its job's runs. A job that retention took away is told by nothing: its operation stays."""
    if operation.job_id is None:
        return
    try:
        job = selectors.details(selectors.get(operation.job_id))
    except LookupError:
        return
    keys = {"job": operation.job_id, "operation": operation.pk}
    links = [_row(what, key, staff) for what, key in keys.items()]
    said = f"Job {job['kind']} was written; it is {job['state']} now (runs: {job['runs']})."
    yield Line(at=datetime.fromisoformat(job["created_at"]), what="job.written", words=said, links=links)
    for attempt in job["attempts"]:
        ended = datetime.fromisoformat(attempt["finished_at"])
        yield Line(at=ended, what="job.run", words=_run(attempt, staff), links=links)


def _run(attempt: dict[str, Any], staff: bool) -> str:
    message = f" {attempt['message'].splitlines()[0]}" if staff and attempt["message"] else ""
    return f"Run {attempt['number']} of the job took {attempt['seconds']:.2f} s: {attempt['outcome']}.{message}"


def _disputes(milestone: Milestone, staff: bool) -> Iterator[Line]:
    for dispute in milestone.disputes.order_by("id"):
        links = [_row("dispute", dispute.pk, staff)]
        if dispute.stripe_id:
            links.append(_at_stripe(dispute.stripe_id, staff))
        said = f"{_opener(dispute, milestone)} objected: “{dispute.reason}”"
        yield Line(at=dispute.opened_at, what="dispute.opened", words=said, links=links)
        if dispute.closed_at:
            yield Line(at=dispute.closed_at, what="dispute.closed", words=_end(dispute), links=links)


def _opener(dispute: Dispute, milestone: Milestone) -> str:
    project = milestone.project
    people = {None: "The client's bank", project.client_id: "The client", project.freelancer_id: "The freelancer"}
    return people.get(dispute.opened_by_id, "Our staff")


def _end(dispute: Dispute) -> str:
    if dispute.status == DisputeStatus.RESOLVED:
        return f"Our staff decided the dispute: {dispute.resolution}. “{dispute.resolution_reason}”"
    return f"The client's bank decided the dispute: {dispute.status}."


def _booked(milestone: Milestone, operations: list[Operation], staff: bool) -> QuerySet[Transfer]:
    """The rows that touch its escrow; for staff also the others of its operations."""
    escrow = accounts.escrow(milestone.pk, milestone.project.currency).code
    touching = Q(debit__code=escrow) | Q(credit__code=escrow)
    if staff:
        touching |= Q(operation_id__in=[operation.pk for operation in operations])
    return Transfer.objects.filter(touching).select_related("debit", "credit").order_by("created_at", "id")


def _transfer(row: Transfer, staff: bool) -> Line:
    money = Money(row.amount, row.currency)
    links = [_row("transfer", row.pk, staff)]
    links += [_row("operation", row.operation_id, staff)] if row.operation_id else []
    links += [_row("job", row.job_id, staff)] if row.job_id else []
    links += [_at_stripe(row.stripe_ref, staff)] if row.stripe_ref else []
    words = f"{BOOKED[Phase(row.phase)]} ({row.kind}): {money} from {row.debit.code} to {row.credit.code}."
    return Line(at=row.created_at, what=f"ledger.{row.phase}", words=words, money=money, links=links)


def _row(what: str, key: UUID | int, staff: bool) -> Link:
    try:
        page = reverse(f"admin:{'jobs' if what == 'job' else 'payments'}_{what}_change", args=[key])
    except NoReverseMatch:  # it has none
        page = None
    return Link(what=what, id=str(key), href=page if staff else None)


def _at_stripe(stripe_id: str, staff: bool) -> Link:
    test = "test/" if settings.STRIPE_SECRET_KEY.startswith(("sk_test_", "rk_test_")) else ""
    page = settings.STRIPE_API_BASE or f"https://dashboard.stripe.com/{test}search?query={stripe_id}"
    return Link(what="stripe", id=stripe_id, href=page if staff else None)
