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

from django.db.models import Q, QuerySet

from jobs import selectors
from payments import links as pages
from payments.effects import booked
from payments.ledger import accounts
from payments.models import Dispute, Effect, Milestone, Operation, Transfer
from payments.money import Money
from payments.states import DisputeStatus


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
    operations = list(milestone.operations.prefetch_related("effects").order_by("id"))
    lines = list(_milestone(milestone))
    for operation in operations:
        lines += [*_operation(operation, staff), *_job(operation, staff)]
    lines += _disputes(milestone, staff)
    lines += [_transfer(row, staff) for row in _booked(milestone, operations, staff)]
    return sorted(lines, key=lambda line: line.at)


def about(operation: Operation, *, staff: bool) -> list[Line]:
    """One operation's part of it, oldest first; a withdrawal has no milestone and is told here only."""
    rows = Transfer.objects.filter(operation_id=operation.pk).select_related("debit", "credit")
    lines = [*_operation(operation, staff), *_job(operation, staff)]
    lines += [_transfer(row, staff) for row in rows.order_by("created_at", "id")]
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
    for effect in operation.effects.all():
        if effect.step != "booked":  # the rows of the books say so themselves
            yield _step(operation, effect, staff)


STEPS = {
    "sent": "Stripe was asked for the {kind} (attempt {attempt}).",
    "sent again": "Stripe was asked again for the {kind} (attempt {attempt}, the same key).",
    "confirmed": "Stripe has the {kind}.",
    "unknown": "Nobody knows whether Stripe did the {kind}; its money stays held.",
    "rejected": "The {kind} was given up.",
    "parked": "The {kind} waits.",
    "unparked": "The {kind} waits no longer.",
    "manual": "A person has to decide about the {kind}.",
    "begun anew": "The {kind} begins anew, as attempt {attempt}.",
    "noted": "Something is odd about the {kind}.",
}


def _step(operation: Operation, effect: Effect, staff: bool) -> Line:
    """One step, with the job that did it; why it went wrong is for staff."""
    said = STEPS.get(effect.step, "The {kind} is {status}.")
    words = said.format(kind=operation.kind, attempt=effect.attempt, status=effect.status)
    words += f" {effect.error}" if staff and effect.error else ""
    links = [_row("operation", operation.pk, staff)]
    links += [_row("job", effect.job_id, staff)] if effect.job_id else []
    links += [_at_stripe(effect.stripe_id, staff)] if effect.step == "confirmed" else []
    return Line(at=effect.at, what=f"{operation.kind}.{effect.step.replace(' ', '_')}", words=words, links=links)


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
    words = f"{booked(row)}: {money}."
    return Line(at=row.created_at, what=f"ledger.{row.phase}", words=words, money=money, links=links)


def _row(what: str, key: UUID | int, staff: bool) -> Link:
    return Link(what=what, id=str(key), href=pages.page(what, key) if staff else None)


def _at_stripe(stripe_id: str, staff: bool) -> Link:
    return Link(what="stripe", id=stripe_id, href=pages.at_stripe(stripe_id) if staff else None)
