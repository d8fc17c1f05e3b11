"""The thread that keeps a lease alive and stops a run at its deadline."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction

from jobs import JobContext, heartbeat, lifecycle
from jobs.database import now, rows
from jobs.heartbeat import EXIT_TIMED_OUT, Heart
from jobs.models import Attempt, Job
from tests.jobs.conftest import Play
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, LONG_AGO, end_backend, fresh, taken, worker

pytestmark = COMMITTED

PATIENCE = 10.0


def until(true: Callable[[], bool]) -> None:
    """Wait for it, at most ten seconds."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "waited in vain"
        threading.Event().wait(0.01)


def lease_until(job_id: Any) -> datetime:
    moment = fresh(job_id).lease_until
    assert moment is not None
    return moment


def test_a_long_run_keeps_its_lease(play: Play, heart: Heart) -> None:
    def part(context: JobContext) -> None:
        Job.objects.filter(pk=context.id).update(lease_until=LONG_AGO)
        until(lambda: lease_until(context.id) > now())
        first = lease_until(context.id)
        until(lambda: lease_until(context.id) > first)

    assert play(part).state == "completed"


def test_a_short_run_costs_no_connection(play: Play, heart: Heart) -> None:
    before = _connections()
    play(lambda _: None)
    assert heart._thread is not None
    assert heart._thread.is_alive()
    assert _connections() <= before, "no new one"


def _connections() -> set[int]:
    found = rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
    )
    return {pid for (pid,) in found}


def test_the_heart_marks_a_stolen_lease_as_lost(play: Play, heart: Heart) -> None:
    def part(context: JobContext) -> None:
        lifecycle.lose_expired(now=now() + HOUR, limit=1)
        owner = taken(fresh(context.id))
        until(lambda: context.lease.lost)
        assert fresh(context.id).lease_token == owner.token

    assert play(part).state == "active"


def test_an_expired_lease_that_nobody_took_is_no_loss(play: Play, heart: Heart) -> None:
    def part(context: JobContext) -> bool:
        Job.objects.filter(pk=context.id).update(lease_until=LONG_AGO)
        until(lambda: lease_until(context.id) > now())
        return context.lease.lost

    assert play(part).result is False


def test_the_heart_hears_of_a_cancel_and_of_its_worker_leaving(play: Play, heart: Heart) -> None:
    from jobs.worker.identity import boot

    worker(id=boot.id, stopping=True)

    def part(context: JobContext) -> list[bool]:
        until(lambda: context.lease.stopping)
        lifecycle.cancel(context.id, reason="test")
        until(lambda: context.lease.cancel_requested)
        return [context.lease.stopping, context.lease.cancel_requested]

    assert play(part).result == [True, True]


def test_a_heart_whose_connection_was_lost_beats_on(play: Play, heart: Heart) -> None:
    def part(context: JobContext) -> None:
        first = lease_until(context.id)
        until(lambda: lease_until(context.id) > first)
        mine = rows("SELECT pg_backend_pid()")[0][0]
        others = rows(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s "
            "AND query LIKE '%%lease_until%%'",
            [mine],
        )
        assert others
        for (pid,) in others:
            end_backend(pid)
        cut = lease_until(context.id)
        until(lambda: lease_until(context.id) > cut)

    assert play(part).state == "completed"


def test_a_handler_that_holds_its_own_row_locked_does_not_stop_the_heart_for_good(play: Play, heart: Heart) -> None:
    def part(context: JobContext) -> None:
        with transaction.atomic():
            rows("SELECT 1 FROM jobs_job WHERE id = %s FOR UPDATE", [context.id])
            until(lambda: _waiting_for_a_lock() > 0)
            until(lambda: _waiting_for_a_lock() == 0)  # its statement timed out
        first = lease_until(context.id)
        until(lambda: lease_until(context.id) > first)
        assert not context.lease.lost

    assert play(part).state == "completed"


def _waiting_for_a_lock() -> int:
    rows("SELECT pg_stat_clear_snapshot()")
    found: int = rows(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )[0][0]
    return found


# ---------------------------------------------------------------- the deadline
@pytest.fixture
def exits(heart: Heart) -> list[int]:
    """Statuses with which the heart would have ended the process."""
    seen: list[int] = []
    heart._exit = seen.append
    return seen


@pytest.fixture
def impatient() -> Iterator[None]:
    """`zoo.perform` may run 0.2 s."""
    from jobs.kinds import kind_of

    kind = kind_of("zoo.perform")
    object.__setattr__(kind, "timeout", 0.2)
    yield
    object.__setattr__(kind, "timeout", 60.0)


def test_a_run_is_stopped_at_its_deadline(play: Play, exits: list[int], impatient: None) -> None:
    def part(_: JobContext) -> str:
        until(lambda: bool(exits))
        return "never reached in a real process"

    job = play(part)
    assert exits == [EXIT_TIMED_OUT]
    attempt = Attempt.objects.get(job=job)
    assert (job.state, job.failures, job.crashes, attempt.outcome) == ("delayed", 1, 0, "timed out")
    assert attempt.error_class == "TimedOut"
    assert attempt.message == "ran longer than 0.2 s"
    assert "in part" in attempt.traceback, "it says where the handler was"


def test_the_last_attempt_that_times_out_fails_the_job(play: Play, exits: list[int], impatient: None) -> None:
    job = play(lambda _: until(lambda: bool(exits)), failures=2)
    assert (job.state, job.failures) == ("failed", 3)


def test_a_run_that_lost_its_lease_is_not_stopped(play: Play, exits: list[int], impatient: None) -> None:
    """It is somebody else's job now, and this process may go on to the next."""

    def part(context: JobContext) -> None:
        lifecycle.lose_expired(now=now() + HOUR, limit=1)
        taken(fresh(context.id))
        until(lambda: context.lease.timeout == float("inf"))

    job = play(part)
    assert (job.state, exits) == ("active", [])


def test_a_run_that_ends_in_time_is_left_alone(play: Play, exits: list[int], impatient: None) -> None:
    assert play(lambda _: "quick").state == "completed"
    job = play(lambda _: "quick")
    assert (job.state, exits) == ("completed", [])


def test_a_deadline_passes_although_postgresql_is_away(
    play: Play, exits: list[int], impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot say so, but it must stop: the lease ends by itself."""
    elsewhere = connection.copy()
    elsewhere.settings_dict = {**elsewhere.settings_dict, "PORT": 1}
    monkeypatch.setattr(heartbeat, "private_connection", lambda **_: elsewhere)

    def part(_: JobContext) -> None:
        until(lambda: bool(exits))

    play(part)
    assert exits == [EXIT_TIMED_OUT]


def test_a_forked_child_has_a_heart_of_its_own() -> None:
    read, write = os.pipe()
    before = heartbeat.heart
    child = os.fork()
    if not child:
        os.write(write, b"own" if heartbeat.heart is not before and heartbeat.heart._thread is None else b"inherited")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 20) == b"own"
    os.close(read)
    os.close(write)
