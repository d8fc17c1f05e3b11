"""One operation driven to its end, by whichever run of its job comes by.

    look → may Stripe be asked? → commit `sent`, under the lease → ask → book and finish, in one transaction

A run may be killed between any two of these. The next one finds the operation where it was left and sends the same
bytes under the same key; an answer that never came is a doubt, not a failure (payments/operations.py).
"""

from __future__ import annotations

import random
import uuid
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction

from jobs import CannotMove, JobContext, OutcomeUnknown, PermanentError, Skipped, Snooze, control, current_job
from jobs.database import now as database_now
from payments import breaker, gateway, locks, operations, outcomes, params, seen, throttle
from payments.disputes import DISPUTED
from payments.gateway import GatewayError, Send, Verdict
from payments.gateway.calls import Effect
from payments.models import Operation
from payments.states import Dispatch, Kind, Status
from payments.transactions import transaction_of_ours, was_given_up

EFFECTS = {
    Kind.DEPOSIT: Effect.PAYMENT_INTENT,
    Kind.RELEASE: Effect.TRANSFER,
    Kind.REVERSAL: Effect.REVERSAL,
    Kind.WITHDRAWAL: Effect.PAYOUT,
    Kind.REFUND: Effect.REFUND,
}
LONGEST = 300.0
"""Seconds between two sends of one doubt, at most."""
PATIENCE = 600.0
"""Seconds until something outside (a dispute, our configuration) is looked at again."""
WAITING = (30.0, 3600.0)
"""Seconds between two looks at a PaymentIntent that nobody paid yet: at first, and at most. Events come sooner."""
SHORT_OF_MONEY = (60.0, 3600.0)
"""Seconds until a balance that was too small is tried again, under a new key: at first, and at most."""


def drive(operation_id: uuid.UUID) -> dict[str, Any]:
    """Do what is left to do of an operation. Called in its job; says by exception what else a run can end as.

    Raises Skipped (nothing left to do), Snooze (not now), OutcomeUnknown (a doubt), PermanentError (refused).
    """
    run, now = current_job(), database_now()
    operation = Operation.objects.select_related("payout_account", "milestone").get(pk=operation_id)
    _stop_where_it_ended(operation)
    _wait_for_stripe(operation, now)
    try:
        found = _fetch_or_send(operation, run, now)
    except GatewayError as error:
        raise _answer(operation, run, error, now) from error
    except OperationalError as error:
        if not was_given_up(error):
            raise
        raise Snooze(_spread(1.0), "PostgreSQL gave a transaction up; nothing was sent") from error
    breaker.succeeded()
    return _book(operation, found, run)


def call_of(operation: Operation) -> Send:
    """What is sent for an operation: the same bytes under the same key, every time of one attempt."""
    parent, body = params.path_and_body(operation)
    return Send(
        effect=EFFECTS[Kind(operation.kind)],
        params=body,
        key=operation.idempotency_key,
        account=operation.stripe_account,
        parent=parent,
        api_version=operation.api_version,
    )


def _stop_where_it_ended(operation: Operation) -> None:
    if operation.booked_at or (operation.dispatch == Dispatch.CONFIRMED and operation.kind != Kind.DEPOSIT):
        raise Skipped(f"it was done: {operation.stripe_id}")
    if operation.dispatch == Dispatch.REJECTED or operation.status in (Status.CANCELED, Status.REJECTED):
        raise PermanentError(operation.error or f"The {operation.kind} was given up.")
    if operation.dispatch == Dispatch.MANUAL or operation.status == Status.MANUAL:
        raise OutcomeUnknown(f"A person has to decide: {operation.error}")
    if operation.status == Status.REVERSING:
        raise Snooze(WAITING[0], "the freelancer's part has to come back first")
    if operation.dispatch == Dispatch.PARKED:
        if operation.error_code == DISPUTED:
            raise Snooze(PATIENCE, operation.error)
        operations.unpark(operation)  # whatever was wrong may have been mended; Stripe will say


def _wait_for_stripe(operation: Operation, now: datetime) -> None:
    if pause := breaker.wait(now):
        raise Snooze(pause.total_seconds(), "Stripe does not answer")
    if not throttle.take(EFFECTS[Kind(operation.kind)]):
        raise Snooze(_spread(1.0), "as many calls as Stripe allows are being made")


def _fetch_or_send(operation: Operation, run: JobContext, now: datetime) -> dict[str, Any]:
    """The operation's object: read, if it is known, else asked for. Raises GatewayError."""
    if operation.stripe_id:
        return seen.fetch(operation, operation.stripe_id)
    with transaction.atomic():
        locks.operation(operation.pk)
        sent = operations.mark_sent(operation, now=now)
        if sent:
            run.checkpoint()  # in the same transaction: who lost the lease did not say `sent`
    if not sent:
        return _adopt_instead(operation, now)
    made = gateway.send(call_of(operation))
    # A PaymentIntent's charge and fee are not in the answer that made it.
    return seen.fetch(operation, made["id"]) if operation.kind == Kind.DEPOSIT else made


def _adopt_instead(operation: Operation, now: datetime) -> dict[str, Any]:
    """It must not be sent: too old a key is looked for, what an event told meanwhile is done, everything else waits."""
    operation.refresh_from_db()
    _stop_where_it_ended(operation)
    if operation.stripe_id:
        return seen.fetch(operation, operation.stripe_id)
    reason = operations.why_not_sent(operation, now=now)
    too_old = operation.first_sent_at and operation.first_sent_at <= now - settings.STRIPE_KEY_LIFETIME
    if too_old and operation.dispatch in (Dispatch.READY, Dispatch.SENT, Dispatch.UNKNOWN):
        return _adopt(operation, reason)
    raise Snooze(WAITING[0], reason or "another run was quicker")


def _adopt(operation: Operation, reason: str) -> dict[str, Any]:
    """Look for what may be there. What is not found may still come: nobody sends again, nobody gives the hold back."""
    assert operation.first_sent_at is not None  # noqa: S101 - what was never sent is never looked for
    found = gateway.find(call_of(operation), operation_id=str(operation.pk), since=operation.first_sent_at)
    if found:
        return found
    operations.unknown(operation, error=reason)
    raise OutcomeUnknown(reason)


def _book(operation: Operation, found: dict[str, Any], run: JobContext) -> dict[str, Any]:
    """Books and job in one transaction: whoever reads sees both or neither. Again when PostgreSQL gave it up."""
    result = {"operation": str(operation.pk), "stripe_id": found["id"]}

    def both() -> bool:
        seen.tell(operation, found, now=database_now())
        operation.refresh_from_db()
        waits = operation.kind == Kind.DEPOSIT and not operation.booked_at and operation.status != Status.CANCELED
        if not waits:
            run.complete(result)
        if operation.parent:
            transaction.on_commit(lambda: _let_run(operation.parent), robust=True)
        return waits

    try:
        waits = transaction_of_ours(both)
    except outcomes.TooEarly as early:
        raise Snooze(WAITING[0], str(early)) from early
    except outcomes.Contradiction as wrong:
        operations.manual(operation, error=str(wrong))
        raise OutcomeUnknown(str(wrong)) from wrong
    if operation.status == Status.MANUAL:
        raise OutcomeUnknown(operation.error)
    if waits:
        raise Snooze(_growing(operation, *WAITING), "the client has not paid yet")
    return result


def _let_run(refund: Operation | None) -> None:
    """What waited for this need not wait for its time. Its job looks again by itself if it is not to be had now."""
    if refund and refund.job_id:
        with suppress(CannotMove):
            control.promote(refund.job_id)


def _answer(operation: Operation, run: JobContext, error: GatewayError, now: datetime) -> BaseException:
    """What a refusal means for the operation, and what the run ends as."""
    text = f"{error.code}: {error}"
    if error.down:
        breaker.failed(text, now=now)
    elif error.facts.status:
        breaker.succeeded()
    if operation.stripe_id:  # only its state was asked for
        return Snooze(_growing(operation, 1.0, LONGEST), text)
    match error.verdict:
        case Verdict.RETRY:
            throttle.drain(EFFECTS[Kind(operation.kind)], seconds=1.0)
            return Snooze(_growing(operation, 1.0, LONGEST), text)
        case Verdict.NEW_KEY:
            operations.new_attempt(operation, code=error.code, error=str(error))
            first, most = SHORT_OF_MONEY
            return Snooze(min(most, first * 2 ** min(operation.attempt - 2, 10)), text)
        case Verdict.FAIL:
            outcomes.rejected(operation, code=error.code, error=str(error), now=now)
            return PermanentError(text)
        case Verdict.PARK:
            operations.park(operation, code=error.code, error=str(error))
            return Snooze(PATIENCE, text)
        case Verdict.ADOPT:
            return _adopted(operation, run, error)
        case Verdict.MANUAL:
            operations.manual(operation, error=text)
            return OutcomeUnknown(text)
        case Verdict.UNKNOWN:
            operations.unknown(operation, error=text)
            return OutcomeUnknown(text, resend_after=_growing(operation, 1.0, LONGEST))


def _adopted(operation: Operation, run: JobContext, error: GatewayError) -> BaseException:
    """No resend will say anything new: look for it, and book it if it is there."""
    text = f"{error.code}: {error}"
    try:
        found = _adopt(operation, text)
        if operation.kind == Kind.DEPOSIT:
            found = seen.fetch(operation, found["id"])
        _book(operation, found, run)
    except GatewayError as silence:
        operations.unknown(operation, error=text)
        return OutcomeUnknown(f"{text}; and looking for it: {silence}", resend_after=_growing(operation, 1.0, LONGEST))
    except (OutcomeUnknown, Snooze) as said:
        return said
    return Skipped(f"it was there: {operation.stripe_id}")


def _growing(operation: Operation, first: float, most: float) -> float:
    """Seconds until the next try: half of how long it has been going on. A killed run says nothing about Stripe."""
    began = operation.first_sent_at or operation.created_at
    going_on = (database_now() - began).total_seconds()
    return _spread(min(most, max(first, going_on / 2)))


def _spread(seconds: float) -> float:
    """Ten percent of chance, so that who waited together does not come back together."""
    return seconds * (1 + random.random() / 10)  # noqa: S311 - no secret
