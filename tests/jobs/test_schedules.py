"""Schedules become job rows: each slot once, whoever keeps."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from jobs import schedules
from jobs.models import Job
from jobs.schedules import fire_once, next_slot
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import SECOND, elsewhere, together

pytestmark = [COMMITTED, pytest.mark.usefixtures("_quiet")]

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def _quiet() -> None:
    schedules._complained.clear()


def schedule(name: str = "s", *, made: datetime = NOON - MINUTE, **fields: Any) -> PeriodicTask:
    """A schedule of `zoo.perform`, every ten seconds unless told otherwise, made (or changed) a minute before noon."""
    if not {"interval", "crontab", "clocked", "solar"} & set(fields):
        fields["interval"] = every(10)
    entry = PeriodicTask.objects.create(name=name, **{"task": "zoo.perform"} | fields)
    PeriodicTask.objects.filter(pk=entry.pk).update(date_changed=made)
    return entry


def every(seconds: int) -> IntervalSchedule:
    return IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)[0]


def cron(text: str, zone: str = "UTC") -> CrontabSchedule:
    names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    return CrontabSchedule.objects.create(**dict(zip(names, text.split(), strict=True)), timezone=zone)


def slots() -> list[datetime]:
    return [slot for slot in Job.objects.order_by("slot").values_list("slot", flat=True) if slot]


def test_a_slot_becomes_one_job_with_its_mark() -> None:
    entry = schedule(name="ten")
    assert fire_once(NOON + 3 * SECOND) == 1
    job = Job.objects.get()
    assert (job.kind, job.state, job.schedule_id, job.slot) == ("zoo.perform", "waiting", entry.pk, NOON)
    assert job.enqueued_by == "schedule:ten"
    entry.refresh_from_db()
    assert (entry.last_run_at, entry.total_run_count) == (NOON, 1)


def test_a_slot_is_enqueued_once_however_often_one_looks() -> None:
    schedule()
    assert [fire_once(NOON + n * SECOND) for n in (0, 1, 9.999, 10, 11)] == [1, 0, 0, 1, 0]
    assert slots() == [NOON, NOON + 10 * SECOND]


def test_two_keepers_enqueue_a_slot_once() -> None:
    for n in range(10):
        schedule(f"s{n}")
    assert sum(together(lambda: fire_once(NOON), threads=3)) == 10
    assert Job.objects.count() == 10


def test_a_keeper_whose_clock_is_behind_adds_nothing() -> None:
    schedule()
    fire_once(NOON)
    assert fire_once(NOON - 10 * SECOND) == 0


def test_a_slot_whose_mark_was_lost_is_still_enqueued_once() -> None:
    """The row itself remembers its slot, should somebody reset `last_run_at`."""
    entry = schedule()
    fire_once(NOON)
    PeriodicTask.objects.filter(pk=entry.pk).update(last_run_at=None)
    assert fire_once(NOON) == 0
    assert Job.objects.count() == 1


def test_missed_slots_are_made_up_for_by_one_job_for_the_latest() -> None:
    schedule()
    fire_once(NOON)
    assert fire_once(NOON + timedelta(hours=1, seconds=5)) == 1
    assert slots() == [NOON, NOON + timedelta(hours=1)]


def test_a_missed_crontab_slot_is_made_up_for_hours_later() -> None:
    schedule(crontab=cron("0 3 * * *"), made=NOON - timedelta(days=3))
    assert fire_once(NOON) == 1
    assert slots() == [NOON.replace(hour=3)]


def test_a_new_schedule_does_not_make_up_for_what_passed_before_it() -> None:
    schedule(crontab=cron("0 3 * * *"), made=NOON)
    assert fire_once(NOON + 3 * timedelta(hours=1)) == 0
    assert fire_once(NOON + 16 * timedelta(hours=1)) == 1


def test_an_edited_schedule_starts_afresh() -> None:
    entry = schedule(crontab=cron("0 3 * * *"), made=NOON - timedelta(days=3))
    PeriodicTask.objects.filter(pk=entry.pk).update(crontab=cron("0 9 * * *"), date_changed=NOON)
    assert fire_once(NOON + MINUTE) == 0
    assert fire_once(NOON + timedelta(hours=21)) == 1


def test_firing_does_not_count_as_an_edit() -> None:
    entry = schedule()
    fire_once(NOON)
    entry.refresh_from_db()
    assert entry.date_changed == NOON - MINUTE


@pytest.mark.parametrize("hour", range(24))
def test_an_entry_is_loaded_whatever_its_hour(hour: int) -> None:
    """django-celery-beat loads only entries within two hours of now, so it loses what it missed."""
    schedule(crontab=cron(f"0 {hour} * * *"), made=NOON - timedelta(days=2))
    assert fire_once(NOON) == 1
    assert slots()[0].hour == hour


def test_a_crontab_is_read_in_its_own_zone() -> None:
    schedule(crontab=cron("0 9 * * *", "America/New_York"), made=NOON - timedelta(days=1))
    fire_once(NOON + timedelta(hours=3))
    assert slots() == [datetime(2026, 3, 1, 14, 0, tzinfo=UTC)]


def test_the_first_schedule_ever_made_is_seen_by_the_next_look() -> None:
    PeriodicTask.objects.all().delete()
    assert fire_once(NOON) == 0
    elsewhere(schedule).result(10)
    assert fire_once(NOON) == 1


# ---------------------------------------------------------------- options of a schedule
def test_a_one_off_schedule_fires_once_and_switches_itself_off() -> None:
    entry = schedule(one_off=True)
    assert [fire_once(NOON), fire_once(NOON + MINUTE)] == [1, 0]
    entry.refresh_from_db()
    assert not entry.enabled


def test_a_clocked_schedule_fires_at_its_moment_even_if_it_was_missed() -> None:
    moment = ClockedSchedule.objects.create(clocked_time=NOON)
    schedule(clocked=moment, one_off=True, made=NOON + MINUTE)
    assert [fire_once(NOON - SECOND), fire_once(NOON + timedelta(hours=9)), fire_once(NOON + timedelta(days=9))] == [
        0,
        1,
        0,
    ]
    assert slots() == [NOON]


def test_a_start_time_holds_back_and_then_its_own_slot_counts() -> None:
    schedule(start_time=NOON, made=NOON - timedelta(hours=2))
    assert fire_once(NOON - SECOND) == 0
    assert fire_once(NOON) == 1
    assert slots() == [NOON]


def test_nothing_fires_after_its_expiry() -> None:
    schedule(expires=NOON)
    assert fire_once(NOON - 10 * SECOND) == 1
    assert fire_once(NOON) == 0


def test_a_schedule_that_is_off_does_not_fire() -> None:
    schedule(enabled=False)
    assert fire_once(NOON) == 0


def test_what_a_schedule_says_of_its_job_is_kept() -> None:
    schedule(task="zoo.mail", kwargs='{"number": 7}', queue="invoice", priority=1, expire_seconds=60)
    fire_once(NOON)
    job = Job.objects.get()
    assert (job.args, job.queue, job.priority) == ({"number": 7}, "invoice", 1)
    assert job.expires_at is not None
    assert job.expires_at - job.available_at == 60 * SECOND


# ---------------------------------------------------------------- what cannot be enqueued
WRONG: dict[str, dict[str, Any]] = {
    "unknown kind": {"task": "zoo.lion"},
    "missing argument": {"task": "zoo.mail"},
    "wrong argument": {"task": "zoo.mail", "kwargs": '{"number": "seven"}'},
    "positional arguments": {"args": "[1]"},
    "no JSON": {"kwargs": "{number: 7}"},
    "a list": {"kwargs": "[1]"},
    "unknown queue": {"queue": "emial"},
    "a subject that fails": {"task": "zoo.divides", "kwargs": '{"number": 0}'},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_schedule_that_cannot_be_enqueued_disturbs_no_other(wrong: Any, caplog: pytest.LogCaptureFixture) -> None:
    bad = schedule("a bad one", **wrong)
    schedule("z good")
    assert fire_once(NOON) == 1
    assert fire_once(NOON + SECOND) == 0
    assert [job.enqueued_by for job in Job.objects.all()] == ["schedule:z good"]
    said = [record.message for record in caplog.records if "'a bad one' is not enqueued" in record.message]
    assert len(said) == 1, "it is said once, not at every tick"
    bad.refresh_from_db()
    assert (bad.last_run_at, bad.total_run_count) == (None, 0), "its slot is kept"


def test_a_schedule_that_was_put_right_fires_again() -> None:
    bad = schedule(task="zoo.mail", kwargs="{}")
    assert fire_once(NOON) == 0
    PeriodicTask.objects.filter(pk=bad.pk).update(kwargs=json.dumps({"number": 7}))
    assert fire_once(NOON + SECOND) == 1


def test_a_solar_schedule_is_refused_in_words(caplog: pytest.LogCaptureFixture) -> None:
    schedule(solar=SolarSchedule.objects.create(event="sunrise", latitude=52.5, longitude=13.4))
    assert fire_once(NOON) == 0
    assert "only interval, crontab and clocked" in caplog.text


# ---------------------------------------------------------------- when to look again
def test_the_next_look_is_at_the_next_slot() -> None:
    PeriodicTask.objects.all().delete()
    assert next_slot(NOON) is None
    schedule("cron", crontab=cron("0 3 * * *"))
    assert next_slot(NOON + 20 * SECOND) == NOON + MINUTE
    schedule("interval", interval=every(7))
    assert next_slot(NOON) == datetime.fromtimestamp(NOON.timestamp() // 7 * 7 + 7, tz=UTC)
