"""What an operator does to a job, as one call each: the move, the ring, the word about it."""

from __future__ import annotations

import uuid

from django.db import transaction

from jobs import lifecycle
from jobs.events import emit
from jobs.maintenance.relay import ring_jobs
from jobs.states import State


def retry(job_id: uuid.UUID, *, by: str = "") -> None:
    """Let a failed or cancelled job start afresh. Raises CannotMove in words."""
    with transaction.atomic():
        queue = lifecycle.retry(job_id)
        transaction.on_commit(lambda: ring_jobs([job_id], queues=[queue]), robust=True)
    emit("retried by hand", job=job_id, by=by)


def promote(job_id: uuid.UUID, *, by: str = "") -> None:
    """Let a delayed job run now instead of at its time. Raises CannotMove in words."""
    with transaction.atomic():
        queue = lifecycle.promote_one(job_id)
        transaction.on_commit(lambda: ring_jobs([job_id], queues=[queue]), robust=True)
    emit("promoted by hand", job=job_id, by=by)


def cancel(job_id: uuid.UUID, *, reason: str, by: str = "") -> State:
    """Cancel a job, or ask a running one to stop at its next checkpoint (ACTIVE is returned then).

    Raises CannotMove in words, ValueError without a reason.
    """
    if not reason.strip():
        raise ValueError("Cancelling needs a reason.")
    state = lifecycle.cancel(job_id, reason=reason)
    emit("cancelled by hand" if state is State.CANCELLED else "cancel requested", job=job_id, by=by, reason=reason)
    return state


def resolve(job_id: uuid.UUID, *, state: State, reason: str, by: str = "") -> None:
    """Decide an unknown outcome: completed, failed, or waiting (send again). Raises CannotMove, ValueError."""
    with transaction.atomic():
        queue = lifecycle.resolve(job_id, state=state, reason=reason)
        if state is State.WAITING:
            transaction.on_commit(lambda: ring_jobs([job_id], queues=[queue]), robust=True)
    emit("unknown outcome decided", job=job_id, now=state, by=by, reason=reason)
