"""The scheduler that is also the keeper."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery.beat import Service
from django.db import connection, transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from contralock.celery import app
from jobs import beat, queues, schedules
from jobs.beat import AFTER_ERROR, KeeperScheduler, keep_once
from jobs.database import now, rows
from jobs.maintenance import reap
from jobs.models import Job, Keeper, QueuePause
from jobs.states import State
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, LONG_AGO, SECOND, elsewhere, end_backend, fresh, make

pytestmark = COMMITTED


@pytest.fixture
def scheduler(broker: Broker) -> Iterator[KeeperScheduler]:
    """A scheduler; what it changes in this process is put back."""
    options = dict(connection.settings_dict["OPTIONS"])
    checks = connection.settings_dict["CONN_HEALTH_CHECKS"]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield KeeperScheduler(app=app)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    connection.settings_dict["OPTIONS"] = options
    connection.settings_dict["CONN_HEALTH_CHECKS"] = checks
    connection.close()


def test_a_tick_does_every_duty(scheduler: KeeperScheduler, broker: Broker) -> None:
    due = make(State.DELAYED, available_at=LONG_AGO)
    late = make(expires_at=LONG_AGO)
    lost = make(State.ACTIVE, lease_until=LONG_AGO)
    paused = make(queue="email", published_at=now(), rings=1, dispatch_no=1)
    queues.pause("email", reason="test", until=now() - SECOND)
    every = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.DAYS)
    entry = PeriodicTask.objects.create(name="s", task="zoo.perform", interval=every)
    PeriodicTask.objects.filter(pk=entry.pk).update(date_changed=LONG_AGO)
    pause = scheduler.tick()
    scheduled = Job.objects.get(schedule_id=entry.pk)
    assert [fresh(job).state for job in (due, late, lost)] == ["waiting", "cancelled", "waiting"]
    assert set(broker.task_ids()) == {f"{due.id}.1", f"{lost.id}.1", f"{scheduled.id}.1"}
    assert broker.task_ids("email") == [f"{paused.id}.2"]
    assert QueuePause.objects.count() == 0
    assert abs(Keeper.objects.get().ticked_at - now()) < 5 * SECOND
    assert 0 < pause <= scheduler.max_interval


def test_a_job_that_is_due_is_rung_in_the_same_tick(scheduler: KeeperScheduler, broker: Broker) -> None:
    job = make(State.DELAYED, available_at=now())
    scheduler.tick()
    assert broker.task_ids() == [f"{job.id}.1"]


def test_making_a_scheduler_starts_nothing(broker: Broker) -> None:
    """Celery makes it twice: once for the banner."""
    threads, term = threading.active_count(), signal.getsignal(signal.SIGTERM)
    options = dict(connection.settings_dict["OPTIONS"])
    for _ in range(2):
        scheduler = KeeperScheduler(app=app)
    service = Service(app, scheduler_cls=KeeperScheduler)
    assert service.scheduler.producer is None
    assert scheduler.info
    assert (threading.active_count(), signal.getsignal(signal.SIGTERM)) == (threads, term)
    assert connection.settings_dict["OPTIONS"] == options
    assert Keeper.objects.count() == 0


def test_there_is_no_producer_that_could_wait_for_a_broker(scheduler: KeeperScheduler) -> None:
    assert scheduler.producer is None


def test_celery_adds_no_entries_of_its_own(scheduler: KeeperScheduler) -> None:
    assert not scheduler.schedule
    assert app.conf.result_expires is None
    assert not PeriodicTask.objects.filter(name__contains="backend_cleanup").exists()


def test_a_tick_survives_a_lost_connection(scheduler: KeeperScheduler) -> None:
    scheduler.tick()
    end_backend()
    assert scheduler.tick() == AFTER_ERROR
    make(State.ACTIVE, lease_until=LONG_AGO)
    scheduler.tick()
    assert Job.objects.get().state == "waiting"


def test_a_tick_survives_a_broker_that_is_away(scheduler: KeeperScheduler, broker: Broker) -> None:
    broker.server.kill()
    job = make(State.DELAYED, available_at=LONG_AGO)
    assert 0 < scheduler.tick() <= scheduler.max_interval
    assert (fresh(job).state, fresh(job).published_at) == ("waiting", None)


def test_a_signal_in_the_middle_of_a_tick_ends_it_afterwards(
    scheduler: KeeperScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[str] = []

    def keep() -> float:
        with transaction.atomic():
            signal.raise_signal(signal.SIGTERM)
            make()
        reached.append("the end of the tick")
        return 1.0

    monkeypatch.setattr(beat, "keep_once", keep)
    with pytest.raises(SystemExit) as left:
        scheduler.tick()
    assert left.value.code == 0
    assert reached
    assert Job.objects.count() == 1, "what the tick was doing is done"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_between_two_ticks_ends_it_at_once(scheduler: KeeperScheduler, number: signal.Signals) -> None:
    scheduler.tick()
    with pytest.raises(SystemExit):
        signal.raise_signal(number)


def test_closing_touches_no_connection(scheduler: KeeperScheduler) -> None:
    connection.close()
    scheduler.close()
    assert not scheduler.should_sync()
    assert connection.connection is None


def test_the_keepers_statements_are_short(scheduler: KeeperScheduler) -> None:
    scheduler.tick()
    assert rows("SHOW statement_timeout") == [("10s",)]
    assert rows("SHOW lock_timeout") == [("2s",)]


# ---------------------------------------------------------------- the pause between two ticks
def test_the_pause_ends_when_the_next_job_is_due(broker: Broker, settings: Any) -> None:
    settings.JOBS_TICK = 1.0
    keep_once()
    make(State.DELAYED, available_at=now() + timedelta(seconds=0.5))
    assert 0.3 < keep_once() < 0.51
    make(State.DELAYED, available_at=now() + HOUR)
    assert keep_once() <= 0.5


def test_the_pause_is_at_most_a_tick(broker: Broker, settings: Any) -> None:
    settings.JOBS_TICK = 1.0
    assert keep_once() == 1.0
    make(State.DELAYED, available_at=now() + HOUR)
    assert keep_once() == 1.0


def test_the_pause_is_short_while_a_window_is_refilled(broker: Broker, settings: Any) -> None:
    settings.JOBS_TICK, settings.JOBS_WINDOW = 1.0, 2
    for _ in range(3):
        make()
    assert keep_once() == beat.AFTER_FULL_RING


def test_the_pause_ends_at_the_next_slot(broker: Broker, settings: Any) -> None:
    settings.JOBS_TICK = 30.0
    every = IntervalSchedule.objects.create(every=2, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.create(name="s", task="zoo.perform", interval=every)
    assert 0 < keep_once() <= 2.01


# ---------------------------------------------------------------- a duty that fails
def test_a_duty_that_fails_is_logged_and_the_others_go_on(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Any) -> int:
        raise KeyError("a bug")

    monkeypatch.setattr(schedules, "fire_once", fail)
    job = make(State.ACTIVE, lease_until=LONG_AGO)
    keep_once()
    assert broker.task_ids() == [f"{job.id}.1"]
    assert "keeper: schedules failed" in caplog.text


def test_a_duty_that_hangs_on_a_lock_does_not_stop_the_others(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    job = make(State.ACTIVE, lease_until=LONG_AGO)
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            rows("LOCK TABLE django_celery_beat_periodictask IN ACCESS EXCLUSIVE MODE")
            locked.set()
            assert done.wait(30)

    other = elsewhere(hold)
    assert locked.wait(10)
    rows("SET lock_timeout = '50ms'")
    try:
        beat._do("schedules", lambda: schedules.fire_once(now()))
        beat._do("reap", lambda: reap.reap_once(now(), not_before=LONG_AGO))
    finally:
        done.set()
        other.result(10)
        connection.close()
    assert fresh(job).state == "waiting"
    assert "keeper: schedules failed" in caplog.text
