"""What staff may do. Each call is one transaction over operation, ledger and job; a refusal has done nothing.

`by` is whom the records name, such as admin:ada@example.com. The reason stays with the operation (its effects are
never changed) and with its job.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from jobs import CannotMove, JobHandle, State, control
from payments import locks, operations, outcomes, tasks
from payments.decisions import rules
from payments.decisions.case import Case, read
from payments.models import Operation
from payments.refusals import Refused
from payments.transactions import transactional


@transactional
def look_now(operation_id: uuid.UUID, *, by: str, reason: str, now: datetime, stripe_id: str = "") -> JobHandle:
    """Write the job that looks for the operation at Stripe; asking again returns the one there is.

    Raises Refused: reason_missing, not_now, invalid_stripe_id.
    """
    _decided(operation_id, rules.against_looking, by=by, reason=reason, now=now)
    if stripe_id and not (stripe_id.isascii() and stripe_id.replace("_", "").isalnum()):
        raise Refused("invalid_stripe_id", "An id of Stripe's is made of letters, digits and underscores, as tr_1Abc.")
    return tasks.look_at_stripe.apply_async(
        kwargs={"operation_id": operation_id, "stripe_id": stripe_id},
        unique_key=f"look:{operation_id}:{stripe_id}",
    )


@transactional
def give_back(operation_id: uuid.UUID, *, by: str, reason: str, now: datetime) -> Operation:
    """Give up what is not at Stripe, and give back what it holds. Raises Refused: reason_missing, not_now."""
    case, why = _decided(operation_id, rules.against_giving_back, by=by, reason=reason, now=now)
    if not outcomes.rejected(case.operation, code="given_back", error=f"Given back by {why}", now=now):
        raise Refused("not_now", "It changed at this moment. Look at it again.")
    if case.job_state == State.UNKNOWN:
        _move_job(case, lambda job: control.resolve(job, state=State.FAILED, reason=f"Given back by {why}", by=by))
    return case.operation


@transactional
def begin_anew(operation_id: uuid.UUID, *, by: str, reason: str, now: datetime) -> Operation:
    """Let what is not at Stripe be sent again, as a new attempt with a new key; the hold stays.

    Raises Refused: reason_missing, not_now.
    """
    case, why = _decided(operation_id, rules.against_beginning_anew, by=by, reason=reason, now=now)
    if not operations.new_attempt(case.operation, code="begun_anew", error=f"Begun anew by {why}"):
        raise Refused("not_now", "It changed at this moment. Look at it again.")
    if case.job_state == State.UNKNOWN:
        _move_job(case, lambda job: control.resolve(job, state=State.WAITING, reason=f"Begun anew by {why}", by=by))
    else:
        _start(case, by)
    return case.operation


@transactional
def run_again(operation_id: uuid.UUID, *, by: str, reason: str, now: datetime) -> Operation:
    """Start the failed, cancelled or lost job of an unfinished operation again.

    Raises Refused: reason_missing, not_now.
    """
    case, why = _decided(operation_id, rules.against_running_again, by=by, reason=reason, now=now)
    operation = case.operation
    before = f" Before: {operation.error}" if operation.error else ""
    operations.note_error(operation, code=operation.error_code, error=f"Run again by {why}{before}")
    _start(case, by)
    return operation


def _decided(
    operation_id: uuid.UUID, against: Callable[[Case], str], *, by: str, reason: str, now: datetime
) -> tuple[Case, str]:
    """The locked operation's case, and by whom and why; refused if a rule is against it."""
    if not reason.strip() or "\0" in reason:
        raise Refused("reason_missing", "Say why: it is kept, and others will ask.")
    case = read(locks.operation(operation_id), now=now)
    if refusal := against(case):
        raise Refused("not_now", refusal)
    return case, f"{by}: “{reason.strip()}”"


def _start(case: Case, by: str) -> None:
    """Its job again, or a new one where that is done or gone."""
    if case.job_state in (State.FAILED, State.CANCELLED):
        _move_job(case, lambda job: control.retry(job, by=by))
    else:
        tasks.enqueue(case.operation)


def _move_job(case: Case, move: Callable[[uuid.UUID], None]) -> None:
    assert case.operation.job_id is not None  # noqa: S101 - a job with a state has an id
    try:
        move(case.operation.job_id)
    except CannotMove as error:
        raise Refused("not_now", str(error)) from error
