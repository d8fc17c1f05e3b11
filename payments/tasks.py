"""The payment queue's jobs: each drives one operation (payments/dispatch.py); and what the general queue does here."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from jobs import JobContext, JobHandle, PermanentError, Skipped, Snooze, current_job, job
from jobs.database import now
from payments import dispatch, doubts, gateway, inbox, operations, outcomes, reminders
from payments import reconcile as reconciliation
from payments.models import Operation, StripeEvent
from payments.models.inbox import EventState
from payments.money import Money, words
from payments.reminders.policy import Reason
from payments.states import Kind

TIMEOUT = 90.0
"""Seconds a run may take: one call to Stripe and a look-up, each at its own time-out."""


def _describe(*, operation_id: UUID) -> str:
    operation = Operation.objects.filter(pk=operation_id).first()
    if operation is None:
        return f"Operation {operation_id}"
    return f"{operation.get_kind_display().capitalize()} of {words(Money(operation.amount, operation.currency), 'en')}"


@job(queue="payment", timeout=TIMEOUT, describe=_describe)
def process_deposit(*, operation_id: UUID) -> dict[str, Any]:
    """See whether the client paid, and hold the money.

    Safe to run twice: the PaymentIntent is made once (same key, same bytes) and booked once.
    """
    return dispatch.drive(operation_id)


@job(queue="payment", timeout=TIMEOUT, describe=_describe)
def process_release(*, operation_id: UUID) -> dict[str, Any]:
    """Transfer a milestone's money to the freelancer's account.

    Safe to run twice: every run sends the same bytes under the same key, and the transfer is booked once.
    """
    return dispatch.drive(operation_id)


@job(queue="payment", timeout=TIMEOUT, describe=_describe)
def process_withdrawal(*, operation_id: UUID) -> dict[str, Any]:
    """Pay out to the freelancer's bank. Safe to run twice: one key, one payout, booked once."""
    return dispatch.drive(operation_id)


@job(queue="payment", timeout=TIMEOUT, describe=_describe)
def create_refund(*, operation_id: UUID) -> dict[str, Any]:
    """Give the client money back, after the freelancer's part came back if it was released.

    Safe to run twice: one key, one refund, booked once.
    """
    return dispatch.drive(operation_id)


@job(queue="payment", timeout=TIMEOUT, describe=_describe)
def reverse_transfer(*, operation_id: UUID) -> dict[str, Any]:
    """Take back what a release transferred, for a refund. Safe to run twice: one key, one reversal, booked once."""
    return dispatch.drive(operation_id)


@job(
    queue="payment",
    timeout=TIMEOUT,
    max_attempts=10,
    backoff=5.0,
    subject=lambda *, event_id: f"stripe:{event_id}",
    describe=lambda *, event_id: f"Understand Stripe's event {event_id}",
)
def apply_stripe_event(*, event_id: str) -> str:
    """Read the object that an event is about, and let the books agree with it.

    Safe to run twice: the object is read as it is now, and what is known already changes nothing.
    """
    event, moment = StripeEvent.objects.get(event_id=event_id), now()
    if event.state == EventState.HANDLED:
        raise Skipped("it was handled")
    try:
        news = inbox.understand(event, now=moment)
    except inbox.NoneOfOurs as error:
        inbox.close(event, EventState.IGNORED, now=moment, error=str(error))
        raise Skipped(str(error)) from error
    except outcomes.TooEarly as early:
        raise Snooze(30, str(early)) from early
    except gateway.GatewayError as error:
        raise Snooze(30, f"{error.code}: {error}") from error
    except outcomes.Contradiction as wrong:
        inbox.close(event, EventState.FAILED, now=moment, error=str(wrong))
        raise PermanentError(str(wrong)) from wrong
    inbox.close(event, EventState.HANDLED, now=moment)
    return "news" if news else "known"


_JOBS = {
    Kind.DEPOSIT: process_deposit,
    Kind.RELEASE: process_release,
    Kind.WITHDRAWAL: process_withdrawal,
    Kind.REFUND: create_refund,
    Kind.REVERSAL: reverse_transfer,
}


def enqueue(operation: Operation) -> JobHandle:
    """Write the job of a new operation, in the caller's transaction. One at a time per escrow, or per account."""
    about = f"escrow:{operation.milestone_id}" if operation.milestone_id else f"account:{operation.payout_account_id}"
    handle = _JOBS[Kind(operation.kind)].apply_async(
        kwargs={"operation_id": operation.pk},
        subject=about,
        concurrency_key=about,
        unique_key=f"operation:{operation.pk}",
    )
    operations.give_to_job(operation, handle.id)
    return handle


def enqueue_event(event: StripeEvent) -> JobHandle:
    """Write the job of an event, in the caller's transaction, or find its unfinished one. One at a time per object."""
    return apply_stripe_event.apply_async(
        kwargs={"event_id": event.event_id},
        concurrency_key=f"stripe:{event.object_id or event.event_id}",
        unique_key=f"event:{event.event_id}",
    )


# On another queue than money's: after a restore that one is paused until a reconciliation is clean.
@job(queue="general", timeout=900.0, backoff=60.0, describe=lambda *, hours=2, events=False: _span(hours, events))
def reconcile(*, hours: int = 2, events: bool = False) -> dict[str, Any]:
    """Compare the books with Stripe: the last hours, with `events` also its events and the books by themselves.

    Safe to run twice: what is found is found once, what is booked is booked once.
    """
    if not settings.STRIPE_SECRET_KEY:
        raise Skipped("STRIPE_SECRET_KEY is not set: there is nothing to compare with.")
    done = reconciliation.run(hours=hours, full=events, apply=enqueue_event)
    return {"reconciliation": done.pk, "clean": done.is_clean, "counts": done.counts}


@job(queue="general", timeout=900.0)
def resolve_unknown() -> dict[str, int]:
    """Look for operations in doubt that no job drives any more. Safe to run twice: it only reads, nothing is sent."""
    return doubts.resolve(now=now())


@job(
    queue="general",  # payment's may be paused, and that may be why somebody asks
    timeout=TIMEOUT,
    backoff=10.0,
    subject=lambda *, operation_id, stripe_id="": f"operation:{operation_id}",
    describe=lambda *, operation_id, stripe_id="": f"Look at Stripe. {_describe(operation_id=operation_id)}",
)
def look_at_stripe(*, operation_id: UUID, stripe_id: str = "") -> str:
    """Look for one operation, because somebody asked. Safe to run twice: it only reads, nothing is sent."""
    try:
        return doubts.look_at(operation_id, stripe_id=stripe_id, now=now())
    except outcomes.Contradiction as wrong:
        raise PermanentError(str(wrong)) from wrong
    except gateway.GatewayError as error:
        if error.facts.status == 404:
            raise PermanentError(f"Stripe knows nothing of {stripe_id or 'it'}: {error}") from error
        raise


TURN = 15.0
"""Seconds of work until the others of the general queue have their turn."""


@job(queue="general", timeout=300.0, describe=lambda: "Remind people of what waits for them")
def send_reminders() -> dict[str, int]:
    """Take back reminders that lost their reason, then write those that are due (payments/reminders/).

    Safe to run twice: each is written once, and the job goes on behind what was done before.
    """
    run, moment = current_job(), now()
    until = time.monotonic() + TURN
    done = {"withdrawn": _withdraw_reminders(run, until, moment), "written": 0, "looked at": 0}
    of = reminders.wait_for_somebody(now=moment)
    for reason in Reason:
        last: int | None = 0
        while last is not None:
            last, looked_at, written = reminders.remind_next(reason, after=last, now=moment)
            done["written"] += written
            done["looked at"] += looked_at
            run.progress(done | {"of": of})
            _end_slice(run, until, changed=written)
    return done


def _withdraw_reminders(run: JobContext, until: float, moment: datetime) -> int:
    last: str | None = ""
    withdrawn = 0
    while last is not None:
        last, _, changed = reminders.withdraw_next(after=last, now=moment)
        withdrawn += changed
        _end_slice(run, until, changed=changed)
    return withdrawn


def _end_slice(run: JobContext, until: float, *, changed: int) -> None:
    """Stop if the job is no longer ours; let the others' turn begin when this one is over and has achieved something.

    Raises Snooze. Without the last condition a long table would be read from its beginning for ever.
    """
    run.checkpoint()
    if changed and time.monotonic() > until:
        raise Snooze(0, "the others' turn; more is left")


def _span(hours: int, events: bool) -> str:
    return f"Compare the last {hours} hours with Stripe{', its events too' if events else ''}"
