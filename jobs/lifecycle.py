"""Every way a job's row may change after it was inserted. Nobody else saves a Job.

Each function says what it really moved; a caller that lost a race is told so and writes nothing.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError

from jobs import statements as sql
from jobs.backoff import exponential
from jobs.database import repeatable, rows
from jobs.doorbell import Bell
from jobs.outcomes import Budget, Outcome, Verdict
from jobs.states import FINISHED, State

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""A NUL as JSON writes it; a backslash that is itself escaped begins none."""

FINISH_PATIENCE = 60.0
"""Seconds a finished run keeps trying to say so while PostgreSQL is away; its heartbeat holds the lease meanwhile."""


class CannotMove(Exception):
    """The job is not in a state from which this move is legal; the text says what to do instead."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A lease on one job: what its owner needs to run and to finish it."""

    id: uuid.UUID
    token: uuid.UUID
    kind: str
    queue: str
    args: dict[str, Any]
    sealed_args: str | None
    run: int
    failures: int
    crashes: int
    max_attempts: int
    due_at: datetime
    concurrency_key: str | None
    cancel_requested: bool
    trace: str

    def budget(self, *, backoff: float, cap: float) -> Budget:
        """What is left to spend after this run; `backoff` and `cap` are seconds."""
        delay = exponential(failures=self.failures + 1, base=backoff, cap=cap)
        return Budget(failures=self.failures, max_attempts=self.max_attempts, backoff=delay)


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A job whose run ended with its worker."""

    id: uuid.UUID
    kind: str
    queue: str
    state: State
    concurrency_key: str | None


def claim(
    *, job_id: uuid.UUID, kinds: Sequence[str], token: uuid.UUID, worker: uuid.UUID, pid: int, timeout: float
) -> Claim | None:
    """Take the lease of a waiting job for `settings.JOBS_LEASE` seconds, or None when it cannot be had.

    `timeout` (seconds) sets the deadline of the run. May be repeated with the same token.
    """
    params = {
        "id": job_id,
        "kinds": list(kinds),
        "token": token,
        "worker": worker,
        "pid": pid,
        "lease": settings.JOBS_LEASE,
        "timeout": timeout,
    }
    try:
        found = repeatable(sql.CLAIM, params, patience=settings.JOBS_LEASE)
    except IntegrityError:  # another job of the same concurrency key was claimed at this very moment
        return None
    if not found:
        return None
    kind, queue, args, sealed, run, failures, crashes, max_attempts, due_at, key, cancel, trace = found[0]
    return Claim(
        id=job_id,
        token=token,
        kind=kind,
        queue=queue,
        args=json.loads(args) if isinstance(args, str) else args,
        sealed_args=sealed,
        run=run,
        failures=failures,
        crashes=crashes,
        max_attempts=max_attempts,
        due_at=due_at,
        concurrency_key=key,
        cancel_requested=cancel,
        trace=trace,
    )


def refusal(job_id: uuid.UUID, kinds: Sequence[str]) -> str:
    """Why `claim` got nothing, in one word; a doorbell burnt on a row that still waits is taken back."""
    found = rows(sql.REFUSAL, {"id": job_id})
    if not found:
        return "gone"
    state, kind, expired, paused, busy = found[0]
    if state != State.WAITING:
        return "duplicate"
    if kind not in kinds:
        return "wrong-kind"
    unring([job_id])
    return "expired" if expired else "paused" if paused else "busy" if busy else "raced"


def finish(claim: Claim, verdict: Verdict) -> State | None:
    """Write how the run ended, with its attempt, if the lease is still the caller's own.

    Returns the state the job is in now, or None when somebody else owns it and nothing was written.
    May be repeated: a finish whose answer was lost with the connection recognises itself.
    """
    found = repeatable(sql.FINISH, finish_params(claim, verdict), patience=FINISH_PATIENCE)
    if not found:
        owned = repeatable(sql.OWNED, {"id": claim.id, "token": claim.token}, patience=FINISH_PATIENCE)
        if not owned or owned[0][0] == State.ACTIVE:
            return None
        return State(owned[0][0])
    return State(found[0][0])


def finish_params(claim: Claim, verdict: Verdict) -> dict[str, Any]:
    """The parameters of statements.FINISH."""
    return {
        "id": claim.id,
        "token": claim.token,
        "state": verdict.state.value,
        # A cancel that was asked for while it ran holds for a run that wants to go on, but never for a doubt:
        # money or mail may be under way.
        "cancellable": verdict.state in (State.WAITING, State.DELAYED) and verdict.outcome is not Outcome.UNKNOWN,
        "failures": verdict.failures,
        "delay": verdict.delay,
        "finished": [s.value for s in FINISHED],
        "result": storable(verdict.result),
        "outcome": verdict.outcome.value,
        "error_class": clean(verdict.error_class),
        "error": clean(verdict.error),
        "traceback": clean(verdict.traceback),
    }


def lose_expired(*, now: datetime, limit: int) -> list[Lost]:
    """Take jobs away from workers whose lease ran out before `now`."""
    return _lose(sql.LOSE_EXPIRED, error="its worker was lost (lease ran out)", now=now, limit=limit)


def lose_child(*, job_id: uuid.UUID, worker: uuid.UUID, pid: int) -> list[Lost]:
    """Take a job away from a child process that is known to be dead; nothing if it had moved on."""
    return _lose(sql.LOSE_CHILD, error=f"its process {pid} died", id=job_id, worker=worker, pid=pid, limit=1)


def _lose(statement: str, *, error: str, **params: Any) -> list[Lost]:
    crashed = {"outcome": Outcome.CRASHED.value, "error_class": "", "traceback": "", "error": error}
    found = rows(statement, {"crash_limit": settings.JOBS_CRASH_LIMIT, **crashed, **params})
    return [
        Lost(id=job_id, kind=kind, queue=queue, state=State(state), concurrency_key=key)
        for job_id, kind, queue, state, key in found
    ]


def promote(*, now: datetime, limit: int) -> int:
    """Make delayed jobs that are due by `now` wait; returns how many."""
    return len(rows(sql.PROMOTE, {"now": now, "limit": limit}))


def expire(*, now: datetime, limit: int) -> int:
    """Cancel jobs that were not started before their expiry; returns how many."""
    return len(rows(sql.EXPIRE, {"now": now, "limit": limit}))


def reserve_silent(
    *,
    queue: str,
    kinds: Sequence[str] | None,
    now: datetime,
    lost_before: datetime,
    base: float,
    cap: float,
    limit: int,
) -> list[Bell]:
    """Mark as rung the first `limit` jobs of a queue that a claim would take and whose doorbell is missing.

    A doorbell is missing when none was rung, when it was rung before `lost_before`, or when it has been
    silent for `base` seconds, doubled with each ring up to `cap`. `kinds` None takes any kind.
    """
    params = {
        "queue": queue,
        "kinds": None if kinds is None else list(kinds),
        "now": now,
        "lost_before": lost_before,
        "base": base,
        "cap": cap,
        "limit": limit,
    }
    return _bells(rows(sql.RESERVE_SILENT, params))


def reserve_jobs(*, queue: str, ids: Sequence[uuid.UUID]) -> list[Bell]:
    """Mark as rung those of these jobs that a claim would take."""
    return _bells(rows(sql.RESERVE_IDS, {"queue": queue, "ids": list(ids), "limit": len(ids)}))


def reserve_next_of_key(key: str) -> list[Bell]:
    """Mark as rung the job that is next in line for a concurrency key."""
    return _bells(rows(sql.RESERVE_KEY, {"key": key, "limit": 1}))


def _bells(found: list[tuple[Any, ...]]) -> list[Bell]:
    """In order of priority and due time. One that has waited its turn before (its doorbell or its worker was
    lost) goes ahead of its own priority in Redis, not behind a window full of younger ones."""
    found.sort(key=lambda row: (row[4], row[5], row[0]))
    return [
        Bell(job_id=r[0], dispatch_no=r[1], kind=r[2], queue=r[3], priority=max(0, r[4] - 1) if r[6] else r[4])
        for r in found
    ]


def unring(ids: Sequence[uuid.UUID]) -> int:
    """Say that these waiting jobs' doorbells did not arrive, so that the relay rings them; returns how many."""
    return len(rows(sql.UNRING, {"ids": list(ids)}))


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


def storable(result: Any) -> str | None:
    """A handler's result as JSON text. What cannot be stored is described instead: the work itself was done."""
    if result is None:
        return None
    try:
        text = json.dumps(result, allow_nan=False, ensure_ascii=False)
    except Exception:  # noqa: BLE001 - no JSON, too deep, a number too long, or a class of the handler's own
        text = json.dumps({"not_json": _shown(result)}, ensure_ascii=False)
    text = _NUL.sub(r"\1", clean(text))
    size = len(text.encode())
    return text if size <= settings.JOBS_RESULT_LIMIT else json.dumps({"too_large": size, "begins": text[:1000]})


def _shown(result: Any) -> str:
    try:
        return repr(result)[:1000]
    except Exception:  # noqa: BLE001 - its own repr fails
        return f"<{type(result).__name__}>"


def clean(text: str) -> str:
    """Text that PostgreSQL can hold: no NUL, no lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
