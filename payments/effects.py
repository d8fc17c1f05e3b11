"""What a job did with money: the steps of operations, the rows of the books, and Stripe's objects.

Read from rows that were written with the effects themselves, so they outlive the job.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime

from jobs.effects import Touched
from payments.links import at_stripe, page
from payments.models import Effect, Transfer
from payments.models.ledger import Phase
from payments.money import Money, words

BOOKED = {
    Phase.SINGLE: "Booked",
    Phase.PENDING: "Held in the books",
    Phase.POST: "Held, and now booked",
    Phase.VOID: "No longer held",
}


def of_job(job_id: uuid.UUID) -> Iterator[Touched]:
    """The steps and rows that this job wrote, whichever escrow they are about."""
    runs: dict[datetime, int | None] = {}  # by time: what one transaction wrote has one
    for step in Effect.objects.filter(job_id=job_id).select_related("operation").order_by("id"):
        runs[step.at] = step.run
        yield from _step(step)
    for row in Transfer.objects.filter(job_id=job_id).select_related("debit", "credit").order_by("created_at", "id"):
        said = f"{booked(row)}: {words(Money(row.amount, row.currency), 'en')}"
        yield Touched(
            at=row.created_at, run=runs.get(row.created_at), what="transfer", id=str(row.pk), words=said,
            href=page("transfer", row.pk),
        )  # fmt: skip


def booked(row: Transfer) -> str:
    """A row of the books in words, without its money."""
    return f"{BOOKED[Phase(row.phase)]} ({row.kind}), from {row.debit.code} to {row.credit.code}"


def step_in_words(step: Effect) -> str:
    """What was done, and under which key, so that it can be found again at Stripe."""
    operation = step.operation
    what = f"{operation.kind} of {words(Money(operation.amount, operation.currency), 'en')}: {step.step}"
    asked = f", attempt {step.attempt}" if step.step.startswith("sent") or step.attempt > 1 else ""
    why = f" ({step.error})" if step.error else ""
    return f"{what[0].upper()}{what[1:]}{asked}{why}"


def _step(step: Effect) -> Iterator[Touched]:
    here = page("operation", step.operation_id)
    yield Touched(
        at=step.at, run=step.run, what="operation", id=str(step.operation_id), words=step_in_words(step), href=here
    )
    if step.step == "confirmed":
        there = at_stripe(step.stripe_id)
        said = "Stripe has it"
        yield Touched(at=step.at, run=step.run, what="stripe", id=step.stripe_id, words=said, href=there)
