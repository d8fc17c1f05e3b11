"""What people and services ask for: cancel, promote, retry, resolve."""

from __future__ import annotations

import uuid

from django.db import IntegrityError

from jobs import statements as sql
from jobs.database import rows
from jobs.lifecycle.texts import clean
from jobs.states import State


class CannotMove(Exception):
    """The job is not in a state from which this move is legal; the text says what to do instead."""


def cancel(job_id: uuid.UUID, *, reason: str) -> State:
    """Cancel a job that has not started, or ask a running one to stop at its next checkpoint.

    Returns CANCELLED or ACTIVE (asked). Raises CannotMove otherwise.
    """
    if rows(sql.CANCEL_UNSTARTED, {"id": job_id, "reason": clean(reason)}):
        return State.CANCELLED
    if rows(sql.CANCEL_ACTIVE, {"id": job_id}):
        return State.ACTIVE
    if rows(f"SELECT 1 FROM jobs_job WHERE id = %(id)s AND {sql.IN_DOUBT}", {"id": job_id}):  # noqa: S608 - a constant
        raise CannotMove(f"Job {job_id} is in doubt: its outside effect may have happened, so it cannot be cancelled.")
    raise CannotMove(f"Job {job_id} is {_state(job_id)}: only a waiting, delayed or active job can be cancelled.")


def promote_one(job_id: uuid.UUID) -> str:
    """Make one delayed job due now; returns its queue.

    Raises CannotMove for any other state, or while it waits because its last run ended in doubt.
    """
    found = rows(sql.PROMOTE_ONE, {"id": job_id})
    if found:
        return str(found[0][0])
    state = _state(job_id)
    if state == State.DELAYED:
        raise CannotMove(
            f"Job {job_id} is in doubt: its outside effect may have happened, so it is not sent again before its time."
        )
    raise CannotMove(f"Job {job_id} is {state}: only a delayed job can be promoted.")


def retry(job_id: uuid.UUID) -> str:
    """Let a failed or cancelled job start afresh (failures and crashes count from zero); returns its queue.

    Raises CannotMove for any other state, or when a job with the same unique key is unfinished.
    """
    try:
        found = rows(sql.RETRY, {"id": job_id})
    except IntegrityError as error:
        raise CannotMove(f"Job {job_id} was not retried: another unfinished job holds its unique key.") from error
    if not found:
        raise CannotMove(f"Job {job_id} is {_state(job_id)}: only a failed or cancelled job can be retried.")
    return str(found[0][0])


def resolve(job_id: uuid.UUID, *, state: State, reason: str) -> str:
    """Decide an unknown outcome as completed, waiting (send again) or failed; returns the queue.

    Raises CannotMove when the job is not unknown, ValueError for another target or an empty reason.
    """
    if state not in (State.COMPLETED, State.WAITING, State.FAILED) or not reason.strip():
        raise ValueError("An unknown outcome is resolved as completed, waiting or failed, and needs a reason.")
    found = rows(sql.RESOLVE, {"id": job_id, "state": state.value, "reason": clean(reason)})
    if not found:
        raise CannotMove(f"Job {job_id} is {_state(job_id)}: only an unknown outcome can be resolved.")
    return str(found[0][0])


def _state(job_id: uuid.UUID) -> str:
    found = rows("SELECT state FROM jobs_job WHERE id = %s", [job_id])
    return str(found[0][0]) if found else "not there"
