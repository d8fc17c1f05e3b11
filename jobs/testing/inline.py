"""Running jobs without a worker: real claims, attempts and retries, by jobs.execution.run_job.

What differs from a worker: nobody beats, so no deadline ends a run and no lease is renewed; inside a test's
transaction a handler is in it too, so its on_commit hooks wait for a commit that never comes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any

from celery.exceptions import Retry
from django.db import connection, transaction
from psycopg.pq import TransactionStatus

from jobs import execution, lifecycle
from jobs.database import now as database_now
from jobs.doorbell import breaker
from jobs.heartbeat import Heart, Lease
from jobs.kinds import REGISTRY, Kind
from jobs.maintenance.promote import next_due
from jobs.models import Attempt, Job
from jobs.outcomes import Outcome
from jobs.states import State

LIMIT = 1000
"""Runs until a test is told that it does not end."""
BAD = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.UNKNOWN})


class JobsFailed(AssertionError):
    """Jobs failed that the test did not expect to; the text holds their tracebacks, `attempts` the rows."""

    def __init__(self, attempts: Sequence[Attempt]) -> None:
        self.attempts = list(attempts)
        super().__init__("\n".join(["", *(_story(attempt) for attempt in attempts)]))


class StillHeart(Heart):
    """Does not beat: its connection would not see the rows of a test's transaction, and take the lease for lost."""

    @contextmanager
    def holding(self, lease: Lease) -> Iterator[Lease]:
        """Nothing."""
        yield lease


_heart = StillHeart()


def run_all(*, limit: int = LIMIT, failures: bool = False) -> list[Attempt]:
    """Run what waits, and what that enqueues, in the order a worker would; returns the runs.

    Delayed jobs (retries among them) stay. Raises JobsFailed at the end if a job's last run failed or left a doubt,
    unless `failures` are expected; AssertionError after `limit` runs. A paused queue stays paused.
    """
    runs = _run_waiting(limit)
    return runs if failures else _good(runs)


def run_due(*, now: datetime | None = None, limit: int = LIMIT, failures: bool = False) -> list[Attempt]:
    """Like `run_all`, after what a keeper does: expire and promote what is due by `now` (a later moment: time travel).

    Rows are written with the true time all the same.
    """
    _keep(now or database_now())
    return run_all(limit=limit, failures=failures)


def drain(*, until: datetime | None = None, limit: int = LIMIT, failures: bool = False) -> list[Attempt]:
    """Run until nothing waits and nothing is delayed (or not before `until`), going from due time to due time.

    Nobody sleeps: retries with their back-off and snoozes run right away.
    """
    runs = _run_waiting(limit)
    while (moment := next_due()) is not None and (until is None or moment <= until):
        _keep(max(moment, database_now()))
        runs += _run_waiting(limit - len(runs))
    return runs if failures else _good(runs)


@contextmanager
def quiet() -> Iterator[None]:
    """Ring nobody while the block runs: no broker is needed, and no worker takes the test's jobs away."""
    breaker.rest()
    try:
        yield
    finally:
        breaker.worked()


def _keep(moment: datetime) -> None:
    lifecycle.expire(now=moment, limit=LIMIT)
    lifecycle.promote(now=moment, limit=LIMIT)


def _run_waiting(limit: int) -> list[Attempt]:
    runs: list[Attempt] = []
    refused: set[uuid.UUID] = set()
    with quiet():
        while job := _next(refused):
            if len(runs) >= limit:
                raise AssertionError(f"{limit} runs, and there is always another: {job.kind} {job.id}, run {job.runs}.")
            attempt = _run(job)
            runs += [attempt] if attempt else []
            refused |= set() if attempt else {job.id}
    return runs


def _next(refused: set[uuid.UUID]) -> Job | None:
    waiting = Job.objects.filter(state=State.WAITING, kind__in=list(REGISTRY)).exclude(id__in=refused)
    return waiting.order_by("priority", "available_at", "id").first()


def _run(job: Job) -> Attempt | None:
    """One run; None if it could not be claimed (its queue is paused, its key is taken, it has expired)."""
    kind = REGISTRY[job.kind]
    with suppress(Retry, execution.JobFailed):
        execution.run_job(replace(kind, function=contained(kind)), job.id, heart=_heart)
    return Attempt.objects.select_related("job").filter(job=job.id, number=job.runs + 1).first()


def contained(kind: Kind) -> Callable[..., Any]:
    """The kind's function, so that an error of the database in it does not end the test's transaction.

    Only then what it wrote before the error is undone; a worker, who is in no transaction, would have kept it.
    """

    @wraps(kind.function)
    def call(**kwargs: Any) -> Any:
        if not connection.in_atomic_block:
            return kind.function(**kwargs)
        before = transaction.savepoint()
        try:
            return kind.function(**kwargs)
        finally:
            state = connection.connection.info.transaction_status
            broken = connection.needs_rollback or state == TransactionStatus.INERROR
            connection.needs_rollback = False
            (transaction.savepoint_rollback if broken else transaction.savepoint_commit)(before)

    return call


def _good(runs: list[Attempt]) -> list[Attempt]:
    last = {attempt.job_id: attempt for attempt in runs}
    if bad := [attempt for attempt in last.values() if attempt.outcome in BAD]:
        raise JobsFailed(bad)
    return runs


def _story(attempt: Attempt) -> str:
    job = attempt.job
    head = f"{job.kind} {job.args}, run {attempt.number}: {attempt.outcome}; the job is {job.state} ({job.id})"
    return f"{head}\n{attempt.traceback or attempt.message}"
