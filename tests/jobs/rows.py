"""Rows made by hand, and what a worker would do to them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from jobs import lifecycle
from jobs.database import now, rows
from jobs.ids import uuid7
from jobs.lifecycle import Claim
from jobs.maintenance.pulse import Pulse
from jobs.maintenance.relay import relay_once
from jobs.models import FINISHED_STATES, Job, Keeper, Worker
from jobs.outcomes import Outcome, Verdict
from jobs.states import State

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def make(state: State | str = State.WAITING, **fields: Any) -> Job:
    """A job in this state, complete with what the state demands."""
    moment = now()
    defaults: dict[str, Any] = {"kind": "zoo.perform", "queue": "general", "available_at": moment}
    if state == State.ACTIVE:
        defaults |= {"lease_token": uuid7(), "lease_until": moment + HOUR, "started_at": moment, "runs": 1}
    if state in FINISHED_STATES:
        defaults |= {"finished_at": moment}
    return Job.objects.create(state=state, **defaults | fields)


def fresh(job: Job | uuid.UUID) -> Job:
    """The row as it is now."""
    return Job.objects.get(pk=job if isinstance(job, uuid.UUID) else job.pk)


def take(job: Job, **changes: Any) -> Claim | None:
    """Claim as a worker would."""
    given: dict[str, Any] = {
        "job_id": job.id,
        "kinds": [job.kind],
        "token": uuid7(),
        "worker": uuid7(),
        "pid": 4711,
        "timeout": 60.0,
    }
    return lifecycle.claim(**given | changes)


def taken(job: Job, **changes: Any) -> Claim:
    """Claim, and be sure to get it."""
    claim = take(job, **changes)
    assert claim is not None, lifecycle.refusal(job.id, [job.kind])
    return claim


def verdict(state: State, **changes: Any) -> Verdict:
    """A verdict with this target."""
    outcome = {
        State.COMPLETED: Outcome.COMPLETED,
        State.WAITING: Outcome.RELEASED,
        State.CANCELLED: Outcome.CANCELLED,
        State.UNKNOWN: Outcome.UNKNOWN,
    }.get(state, Outcome.FAILED)
    failures = 1 if outcome is Outcome.FAILED else 0
    delay = 2.0 if state is State.DELAYED else None
    given: dict[str, Any] = {"state": state, "outcome": outcome, "failures": failures, "delay": delay}
    return Verdict(**given | changes)


def worker(**fields: Any) -> Worker:
    """A living worker of the general queue that knows `zoo.perform`."""
    defaults: dict[str, Any] = {
        "id": uuid7(),
        "name": "w@h",
        "host": "h",
        "pid": 1,
        "queues": ["general"],
        "kinds": ["zoo.perform"],
        "concurrency": 1,
        "version": "dev",
    }
    return Worker.objects.create(**defaults | fields)


# ---------------------------------------------------------------- the keeper's part
def relay(moment: datetime | None = None) -> bool:
    """One look of the relay, as a keeper does it whose tick began at `moment`."""
    moment = moment or now()
    row = Keeper.objects.get()
    return relay_once(moment, Pulse(reap_after=moment, epoch=row.epoch, epoch_at=row.epoch_at))


def bells(*jobs: Job, number: int = 1) -> list[str]:
    """The task ids of these jobs' doorbells."""
    return [f"{job.id}.{number}" for job in jobs]


# ---------------------------------------------------------------- a second connection
def elsewhere[T](act: Callable[[], T]) -> Future[T]:
    """Do it in a thread, on a connection of its own; the future has what came of it."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(act())
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks the future
            future.set_exception(error)
        finally:
            connection.close()

    threading.Thread(target=run, daemon=True).start()
    return future


def together[T](act: Callable[[], T], *, threads: int = 2) -> list[T]:
    """Do it in several threads that start at the same moment, each on a connection of its own."""
    gate = threading.Barrier(threads)

    def run() -> T:
        connection.ensure_connection()
        gate.wait(10)
        return act()

    return [future.result(30) for future in [elsewhere(run) for _ in range(threads)]]


def wait_until_blocked(*, count: int = 1) -> None:
    """Return once another connection of this database waits for a lock."""
    for _ in range(2000):
        waiting = rows(
            "SELECT count(*) FROM pg_stat_activity, pg_sleep(0.005) "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        with transaction.atomic():  # a new snapshot of the statistics
            rows("SELECT pg_stat_clear_snapshot()")
        if waiting[0][0] >= count:
            return
    raise AssertionError("nobody waits for a lock")


def end_backend(pid: int | None = None) -> None:
    """Let PostgreSQL end a connection (this thread's unless told otherwise), as a restart does."""
    victim = pid or rows("SELECT pg_backend_pid()")[0][0]
    elsewhere(lambda: rows("SELECT pg_terminate_backend(%s, 5000)", [victim])).result(10)
