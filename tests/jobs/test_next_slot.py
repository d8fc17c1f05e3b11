"""When a schedule fires next: the slot that the keeper will name then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab
from django_celery_beat.models import ClockedSchedule, SolarSchedule
from hypothesis import given
from hypothesis import strategies as st

from jobs.schedules import fire_once, next_run, run_now
from jobs.slots import crontab_slot, interval_slot, next_crontab_slot, next_interval_slot
from tests.jobs.rows import HOUR, SECOND, fresh
from tests.jobs.test_schedules import MINUTE, NOON, cron, every, schedule
from tests.jobs.test_slots import BERLIN, NEW_YORK, SANTIAGO, at

MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
CRONS = ["0 9 * * *", "30 2 * * *", "*/15 * * * *", "0 0 * * *", "59 23 * * 0", "0 12 29 2 *", "30 0,1,2,3 * * *"]


def parsed(text: str) -> crontab:
    minute, hour, day_of_month, month_of_year, day_of_week = text.split()
    return crontab(minute, hour, day_of_week, day_of_month, month_of_year)


def coming(text: str, zone: ZoneInfo, moment: str) -> str | None:
    found = next_crontab_slot(parsed(text), zone, at(moment))
    return None if found is None else found.strftime("%Y-%m-%d %H:%M")


@given(every=st.integers(1, 10**7), moment=MOMENTS)
def test_the_next_slot_of_an_interval_follows_the_latest(every: int, moment: datetime) -> None:
    step = timedelta(seconds=every)
    found = next_interval_slot(step, moment)
    assert moment < found <= moment + step
    assert interval_slot(step, found) == found


@pytest.mark.parametrize(
    ("text", "zone", "moment", "expected"),
    [
        ("0 9 * * *", BERLIN, "2026-01-10 07:59", "2026-01-10 08:00"),
        ("0 9 * * *", BERLIN, "2026-01-10 08:00", "2026-01-11 08:00"),  # its own minute has come
        ("0 9 * * 1", NEW_YORK, "2026-01-10 00:00", "2026-01-12 14:00"),
        ("0 12 29 2 *", BERLIN, "2026-03-01 00:00", "2028-02-29 11:00"),
        ("0 12 29 2 1", BERLIN, "2026-03-01 00:00", None),  # a Monday again in 2044
        ("30 2 * * *", BERLIN, "2026-03-28 12:00", "2026-03-29 01:30"),  # skipped in spring: an hour later by the clock
        ("30 2 * * *", BERLIN, "2026-10-24 12:00", "2026-10-25 00:30"),  # twice in autumn: the first
        ("30 2 * * *", BERLIN, "2026-10-25 00:30", "2026-10-26 01:30"),  # and not again
        ("30 * * * *", BERLIN, "2026-10-25 00:30", "2026-10-25 01:30"),  # every hour goes on through both
        ("30 0 * * *", SANTIAGO, "2026-09-05 12:00", "2026-09-06 04:30"),  # midnight itself is skipped there
    ],
)
def test_the_next_slot_over_changes_of_the_clock(text: str, zone: ZoneInfo, moment: str, expected: str | None) -> None:
    assert coming(text, zone, moment) == expected


@given(text=st.sampled_from(CRONS), zone=st.sampled_from([BERLIN, NEW_YORK, SANTIAGO]), moment=MOMENTS)
def test_the_keeper_names_just_that_slot_when_it_comes(text: str, zone: ZoneInfo, moment: datetime) -> None:
    found = next_crontab_slot(parsed(text), zone, moment)
    assert found is not None
    assert found > moment
    assert crontab_slot(parsed(text), zone, found) == found
    assert crontab_slot(parsed(text), zone, found - SECOND / 1_000_000) == crontab_slot(parsed(text), zone, moment)


# ---------------------------------------------------------------- of a schedule
pytest_db = pytest.mark.django_db


@pytest_db
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"enabled": False}, None),
        ({}, NOON),  # not enqueued yet: the keeper is about to
        ({"last_run_at": NOON}, NOON + 10 * SECOND),
        ({"start_time": NOON + HOUR}, NOON + HOUR),
        ({"last_run_at": NOON, "expires": NOON + 5 * SECOND}, None),
    ],
    ids=str,
)
def test_a_schedule_says_when_it_fires_next(fields: dict[str, Any], expected: datetime | None) -> None:
    entry = schedule(**{"made": NOON - MINUTE} | fields)
    entry.refresh_from_db()
    assert next_run(entry, NOON + SECOND) == expected


@pytest_db
def test_what_it_says_is_what_the_keeper_does() -> None:
    entry = schedule(crontab=cron("30 12 * * *", "Europe/Berlin"), made=NOON)
    entry.refresh_from_db()
    coming = next_run(entry, NOON)
    assert coming == NOON + 23.5 * HOUR
    assert fire_once(coming - SECOND) == 0
    assert fire_once(coming) == 1


@pytest_db
def test_a_clocked_schedule_fires_once() -> None:
    clock = ClockedSchedule.objects.create(clocked_time=NOON)
    entry = schedule(clocked=clock, one_off=True)
    assert next_run(entry, NOON - HOUR) == NOON
    assert next_run(entry, NOON + HOUR) == NOON, "late, but coming"
    entry.last_run_at = NOON
    assert next_run(entry, NOON + HOUR) is None


@pytest_db
def test_a_schedule_without_slots_says_so() -> None:
    entry = schedule(solar=SolarSchedule.objects.create(event="sunrise", latitude=1, longitude=1))
    with pytest.raises(ValueError, match="only interval, crontab and clocked"):
        next_run(entry, NOON)


@pytest_db
def test_run_by_hand_it_is_one_job_beside_its_slots() -> None:
    entry = schedule(name="ten", interval=every(10), queue="email", priority=0)
    job = fresh(run_now(entry).id)
    assert (job.kind, job.queue, job.priority, job.schedule_id, job.slot) == ("zoo.perform", "email", 0, entry.pk, None)
    assert job.enqueued_by == "schedule:ten (by hand)"
    entry.refresh_from_db()
    assert entry.last_run_at is None
    assert fire_once(NOON) == 1
