"""Every slot of the days around a change of the clock, as a keeper that looks all the time would find them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab

from jobs.models import Job
from jobs.schedules import fire_once
from jobs.slots import crontab_slot, interval_slot
from tests.jobs.test_schedules import cron, every, schedule

HOUR = timedelta(hours=1)
LOOK = timedelta(minutes=5)
# Zone, and the UTC midnight of the day whose clock is changed: the EU at 1:00 UTC, the USA at 2:00 local.
SPRING = [("Europe/Berlin", "2026-03-29"), ("America/New_York", "2026-03-08")]
AUTUMN = [("Europe/Berlin", "2026-10-25"), ("America/New_York", "2026-11-01")]


def midnight(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def found(minute: str, hour: str, zone: str, day: str) -> list[datetime]:
    """The slots of three days around the change, each once, in the order in which they came."""
    begin, end = midnight(day) - 24 * HOUR, midnight(day) + 48 * HOUR
    rule, place = crontab(minute, hour), ZoneInfo(zone)
    seen: list[datetime] = []
    moment = begin
    while moment < end:
        slot = crontab_slot(rule, place, moment)
        if slot is not None and slot > begin and (not seen or slot > seen[-1]):
            seen.append(slot)
        moment += LOOK
    return seen


def clock(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%d %H:%M %Z")


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("Europe/Berlin", "2026-03-29", ["28 02:30 CET", "29 03:30 CEST", "30 02:30 CEST"]),
        ("America/New_York", "2026-03-08", ["07 02:30 EST", "08 03:30 EDT", "09 02:30 EDT"]),
        ("Europe/Berlin", "2026-10-25", ["24 02:30 CEST", "25 02:30 CEST", "26 02:30 CET"]),
        ("America/New_York", "2026-11-01", ["31 02:30 EDT", "01 02:30 EST", "02 02:30 EST"]),
    ],
)
def test_half_past_two_comes_once_a_day_over_every_change(zone: str, day: str, expected: list[str]) -> None:
    assert [clock(slot, zone) for slot in found("30", "2", zone, day)] == expected


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("Europe/Berlin", "2026-10-25", "25 02:30 CEST"),
        ("America/New_York", "2026-11-01", "01 01:30 EDT"),  # the hour from one to two is the doubled one there
    ],
)
def test_a_time_in_the_doubled_hour_takes_the_first_of_the_two(zone: str, day: str, expected: str) -> None:
    hour = expected[3:5].lstrip("0")
    of_the_day = [clock(slot, zone) for slot in found("30", hour, zone, day)]
    assert [slot for slot in of_the_day if slot.startswith(expected[:2])] == [expected]


@pytest.mark.parametrize(("zone", "day"), SPRING + AUTUMN)
def test_hourly_by_the_clock_is_hourly_in_truth(zone: str, day: str) -> None:
    slots = found("30", "*", zone, day)
    assert len(slots) == 72
    assert {after - before for before, after in pairwise(slots)} == {HOUR}


@pytest.mark.parametrize(("zone", "day"), SPRING + AUTUMN)
def test_what_comes_at_several_hours_has_each_once(zone: str, day: str) -> None:
    of_the_day = [slot for slot in found("30", "1,2,3", zone, day) if clock(slot, zone)[:2] == day[-2:]]
    assert len(of_the_day) == (2 if (zone, day) in SPRING else 3), "2:30 and 3:30 are one moment in spring"


@pytest.mark.parametrize("every_hours", [1, 6, 24])
@pytest.mark.parametrize("day", [day for _, day in SPRING + AUTUMN])
def test_an_interval_does_not_know_of_clocks(day: str, every_hours: int) -> None:
    step = every_hours * HOUR
    looks = [midnight(day) - 24 * HOUR + n * LOOK for n in range(72 * 12)]
    slots = sorted({interval_slot(step, look) for look in looks})
    assert {after - before for before, after in pairwise(slots)} == {step}


@pytest.mark.django_db
@pytest.mark.parametrize(("zone", "day"), SPRING + AUTUMN)
def test_a_keeper_makes_one_job_a_day_and_one_an_hour_over_the_change(zone: str, day: str) -> None:
    begin = midnight(day) - 12 * HOUR
    daily = schedule("daily", crontab=cron("30 2 * * *", zone), made=begin)
    hourly = schedule("hourly", crontab=cron("0 * * * *", zone), made=begin)
    steady = schedule("steady", interval=every(3600), made=begin)
    made = sum(fire_once(begin + n * HOUR) for n in range(1, 25))
    counts = [Job.objects.filter(schedule_id=entry.pk).count() for entry in (daily, hourly, steady)]
    assert counts == [1, 24, 24]
    assert made == sum(counts)


@pytest.mark.django_db
def test_a_slot_that_was_missed_over_a_change_is_made_up_for_once() -> None:
    """No keeper from Saturday noon to Tuesday noon: three nights, one job, for the latest."""
    begin = midnight("2026-03-28") + 12 * HOUR
    schedule("nightly", crontab=cron("30 2 * * *", "Europe/Berlin"), made=begin)
    assert [fire_once(begin + 72 * HOUR), fire_once(begin + 72 * HOUR + LOOK)] == [1, 0]
    assert [clock(job.slot, "Europe/Berlin") for job in Job.objects.all() if job.slot] == ["31 02:30 CEST"]
