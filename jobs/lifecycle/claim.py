"""Taking the lease of a job, or of a fold of jobs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.backends.base.base import BaseDatabaseWrapper

from jobs import statements as sql
from jobs.backoff import exponential
from jobs.database import Row, again, quick, repeatable, rows
from jobs.lifecycle import limited
from jobs.lifecycle.ringing import unring
from jobs.outcomes import Budget
from jobs.states import State


@dataclass(frozen=True, kw_only=True, slots=True)
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
    priority: int
    limited: bool
    """Its queue has limits: when it ends, another may start."""

    def budget(self, *, backoff: float, cap: float) -> Budget:
        """What is left to spend after this run; `backoff` and `cap` are seconds."""
        delay = exponential(failures=self.failures + 1, base=backoff, cap=cap)
        return Budget(failures=self.failures, max_attempts=self.max_attempts, backoff=delay)


def claim(
    *, job_id: uuid.UUID, kinds: Sequence[str], token: uuid.UUID, worker: uuid.UUID, pid: int, timeout: float
) -> Claim | None:
    """Take the lease of a waiting job for `settings.JOBS_LEASE` seconds, or None when it cannot be had.

    `timeout` (seconds) sets the deadline of the run. May be repeated with the same token.
    """
    who = {"token": token, "worker": worker, "pid": pid, "lease": settings.JOBS_LEASE, "timeout": timeout}
    found = _claim(sql.CLAIM, {"id": job_id, "kinds": list(kinds), **who})
    return found[0] if found else None


def claim_fold(
    *,
    job_id: uuid.UUID,
    kinds: Sequence[str],
    token: uuid.UUID,
    worker: uuid.UUID,
    pid: int,
    timeout: float,
    spell: float,
    size: int,
) -> list[Claim]:
    """Take the lease of this job and of others of its kinds that wait in its queue, up to `size`, in their order.

    The job that is named may be taken or done: the others are claimed all the same. One that has crashed
    before comes alone. `timeout` is one run's, `spell` how long the last of them may wait for its turn (seconds).
    May be repeated with the same token.
    """
    who = {"token": token, "worker": worker, "pid": pid, "lease": settings.JOBS_LEASE, "timeout": timeout}
    found = _claim(sql.CLAIM_FOLD, {"id": job_id, "kinds": list(kinds), "spell": spell, "size": size, **who})
    return sorted(found, key=lambda claim: (claim.priority, claim.due_at, claim.id))


def _claim(statement: str, params: dict[str, Any]) -> list[Claim]:
    """Also what an answer that was lost with the connection had claimed: each try begins with the open statement."""

    def attempt() -> list[Claim]:
        found = quick(statement, params | {"permitted": False})
        if found:
            return [_read(row, params["token"]) for row in found]
        return [_read(row, params["token"], limited=True) for row in limited.claim(statement, params)]

    try:
        return again(attempt, patience=settings.JOBS_LEASE)
    except IntegrityError:  # another job of the same concurrency key was claimed at this very moment
        return []


def _read(row: Row, token: uuid.UUID, *, limited: bool = False) -> Claim:
    job_id, kind, queue, args, sealed, run, failures, crashes, limit, due_at, key, cancel, trace, priority = row
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
        max_attempts=limit,
        due_at=due_at,
        concurrency_key=key,
        cancel_requested=cancel,
        trace=trace,
        priority=priority,
        limited=limited,
    )


def give_back(claims: Sequence[Claim], *, unrung: bool, using: BaseDatabaseWrapper | None = None) -> int:
    """Let jobs that were claimed and not begun wait again, as if they had not been claimed; returns how many.

    One that was asked to be cancelled meanwhile is cancelled. `unrung`: their doorbells
    count as lost, because nobody here will answer them. On another connection (`using`) it is tried once.
    """
    if not claims:
        return 0
    params = {"ids": [claim.id for claim in claims], "token": claims[0].token, "unring": unrung}
    if using:
        return len(rows(sql.GIVE_BACK, params, using=using))
    return len(repeatable(sql.GIVE_BACK, params, patience=settings.JOBS_LEASE))


def refusal(job_id: uuid.UUID, kinds: Sequence[str]) -> str:
    """Why a claim got nothing, in one word; a doorbell burnt on a row that still waits is taken back."""
    found = rows(sql.REFUSAL, {"id": job_id})
    if not found:
        return "gone"
    state, kind, expired, paused, busy, limits = found[0]
    if state != State.WAITING:
        return "duplicate"
    if kind not in kinds:
        return "wrong-kind"
    unring([job_id])
    return next((word for true, word in zip((expired, paused, busy, limits), _WORDS, strict=True) if true), "raced")


_WORDS = ("expired", "paused", "busy", "limited")
