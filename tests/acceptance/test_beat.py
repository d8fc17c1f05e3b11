"""The keeper: it may end at any time, and any number may run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import psycopg
import pytest
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from contralock.local.postgres import Postgres
from contralock.local.waiting import wait_until
from jobs import doorbell
from jobs.database import now, rows
from jobs.models import Job, Keeper
from tests.acceptance.handlers import say
from tests.acceptance.history import outcomes, wait_completed
from tests.nodes import BeatNode, WorkerNode

SECOND = timedelta(seconds=1)


@pytest.fixture
def every_second(transactional_db: None) -> PeriodicTask:
    interval = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.SECONDS)
    return PeriodicTask.objects.create(name="tick", task="jobs.drill", interval=interval, kwargs=json.dumps({}))


def slots(schedule: PeriodicTask) -> list[datetime]:
    """Those that became jobs, in order, doubles included."""
    found = Job.objects.filter(schedule_id=schedule.pk).order_by("slot").values_list("slot", flat=True)
    return [slot for slot in found if slot is not None]


def gaps(moments: list[datetime]) -> list[timedelta]:
    return [after - before for before, after in pairwise(moments)]


def wait_for_slots(schedule: PeriodicTask, count: int) -> None:
    wait_until(lambda: len(slots(schedule)) >= count, limit=20, what=f"{count} slots")


def wait_for_tick() -> None:
    begin = now()
    wait_until(lambda: Keeper.objects.filter(ticked_at__gt=begin).exists(), limit=20, what="a tick")


def test_a_keeper_leaves_quickly_when_asked(beat: BeatNode, figure: Callable[[str, object], None]) -> None:
    wait_for_tick()
    asked = time.monotonic()
    assert beat.stop(limit=5) == 0
    figure("beat SIGTERM (s)", round(time.monotonic() - asked, 2))
    assert time.monotonic() - asked < 2


def test_a_keeper_leaves_quickly_also_while_postgres_is_away(beat: BeatNode, postgres_server: Postgres) -> None:
    wait_for_tick()
    postgres_server.stop()
    wait_until(lambda: "PostgreSQL is away" in beat.logs(), limit=10, what="the keeper's complaint")
    asked = time.monotonic()
    assert beat.stop(limit=10) == 0
    assert time.monotonic() - asked < 3


def test_a_keeper_survives_an_outage_of_postgres(beat: BeatNode, postgres_server: Postgres) -> None:
    wait_for_tick()
    postgres_server.stop("immediate")
    wait_until(lambda: "PostgreSQL is away" in beat.logs(), limit=10, what="the keeper's complaint")
    postgres_server.start()
    connection.close()
    wait_for_tick()
    assert beat.container.running


def test_after_kill_9_of_the_keeper_the_next_one_runs_what_is_overdue(worker: WorkerNode, beat: BeatNode) -> None:
    wait_for_tick()
    handle = say.apply_async(kwargs={}, countdown=1)
    beat.kill()
    wait_until(lambda: Job.objects.get(pk=handle.id).available_at < now(), limit=5, what="due time")
    assert handle.state == "delayed"
    beat.start_again()
    wait_completed([handle], limit=5)
    assert outcomes(handle) == ["completed"]


def test_two_keepers_make_exactly_one_job_per_slot(
    start_beat: Callable[..., BeatNode], every_second: PeriodicTask
) -> None:
    start_beat(wait=False)
    start_beat()
    wait_for_slots(every_second, 6)
    assert set(gaps(slots(every_second))) == {SECOND}


def test_one_of_two_keepers_is_killed_in_the_middle_of_a_slot_and_it_is_neither_doubled_nor_lost(
    start_beat: Callable[..., BeatNode], every_second: PeriodicTask, environment: dict[str, str]
) -> None:
    first, second = start_beat(wait=False), start_beat()
    wait_for_slots(every_second, 2)
    with psycopg.connect(environment["DATABASE_URL"]) as other:
        other.execute("SELECT FROM django_celery_beat_periodictask WHERE id = %s FOR UPDATE", [every_second.pk])
        wait_until(lambda: waiting_for_a_lock() >= 2, limit=20, what="both keepers at the same slot")
        first.kill()
    wait_for_slots(every_second, len(slots(every_second)) + 2)
    first.start_again()
    second.kill()  # now the other one, wherever it is
    wait_for_slots(every_second, len(slots(every_second)) + 3)
    found = slots(every_second)
    assert len(found) == len(set(found))
    every_second.refresh_from_db()
    assert every_second.total_run_count == len(slots(every_second)), "each was counted by him who wrote it"


def waiting_for_a_lock() -> int:
    """How many clients of this database wait for another's lock at a schedule."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, 'periodictask') > 0"
    (count,) = rows(query)[0]
    return int(count)


def test_slots_missed_while_no_keeper_ran_are_made_up_by_one_job(beat: BeatNode, every_second: PeriodicTask) -> None:
    wait_for_slots(every_second, 2)
    beat.kill()
    before = slots(every_second)
    wait_until(lambda: now() - before[-1] > 3 * SECOND, limit=10, what="three missed slots")
    beat.start_again()
    wait_for_slots(every_second, len(before) + 3)
    found = slots(every_second)
    assert [gap for gap in gaps(found) if gap != SECOND] == [found[len(before)] - before[-1]]
    made_up = Job.objects.get(slot=found[len(before)])
    assert made_up.slot is not None
    assert made_up.created_at - made_up.slot < SECOND * 1.2


def test_a_schedule_that_somebody_holds_locked_stops_no_other_duty(
    worker: WorkerNode, beat: BeatNode, every_second: PeriodicTask, environment: dict[str, str]
) -> None:
    with psycopg.connect(environment["DATABASE_URL"]) as other:
        other.execute("SELECT FROM django_celery_beat_periodictask WHERE id = %s FOR UPDATE", [every_second.pk])
        wait_until(lambda: now() - every_second.date_changed > 2 * SECOND, limit=10, what="a due slot")
        doorbell.breaker.failed(ConnectionError("so that the keeper has to ring"))
        handle = say.delay()
        wait_completed([handle], limit=15)
