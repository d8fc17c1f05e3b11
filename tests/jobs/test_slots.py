"""Which slot of a schedule a moment belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab
from hypothesis import given
from hypothesis import strategies as st

from jobs.slots import crontab_slot, interval_slot

BERLIN, NEW_YORK, SANTIAGO, KATHMANDU = map(
    ZoneInfo, ("Europe/Berlin", "America/New_York", "America/Santiago", "Asia/Kathmandu")
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slot(cron: str, zone: ZoneInfo, moment: str) -> str | None:
    minute, hour, day_of_month, month_of_year, day_of_week = cron.split()
    found = crontab_slot(crontab(minute, hour, day_of_week, day_of_month, month_of_year), zone, at(moment))
    return None if found is None else found.strftime("%Y-%m-%d %H:%M")


# ---------------------------------------------------------------- intervals
@pytest.mark.parametrize(
    ("every", "moment", "expected"),
    [
        (timedelta(seconds=10), "2026-03-01 12:00:09.999", "2026-03-01 12:00:00"),
        (timedelta(seconds=10), "2026-03-01 12:00:10", "2026-03-01 12:00:10"),
        (timedelta(hours=1), "2026-03-01 12:59:59", "2026-03-01 12:00:00"),
        (timedelta(days=1), "2026-03-01 23:59:59", "2026-03-01 00:00:00"),
        (timedelta(days=7), "2026-03-01 12:00:00", "2026-02-26 00:00:00"),  # weeks of the epoch begin on Thursday
    ],
)
def test_intervals_fall_on_a_grid_of_absolute_time(every: timedelta, moment: str, expected: str) -> None:
    assert interval_slot(every, at(moment)) == at(expected)


@given(
    every=st.integers(1, 10**7),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
)
def test_the_slot_of_an_interval_is_the_latest_one_passed_and_its_own_slot(every: int, moment: datetime) -> None:
    step = timedelta(seconds=every)
    found = interval_slot(step, moment)
    assert found <= moment < found + step
    assert interval_slot(step, found) == found


@pytest.mark.parametrize("every", [timedelta(0), timedelta(seconds=-1)])
def test_an_interval_of_nothing_is_refused(every: timedelta) -> None:
    with pytest.raises(ValueError, match="longer than zero"):
        interval_slot(every, at("2026-01-01"))


# ---------------------------------------------------------------- crontabs
@pytest.mark.parametrize(
    ("cron", "zone", "moment", "expected"),
    [
        ("30 4 * * *", BERLIN, "2026-01-10 03:29:59", "2026-01-09 03:30"),
        ("30 4 * * *", BERLIN, "2026-01-10 03:30:00", "2026-01-10 03:30"),
        ("*/15 * * * *", KATHMANDU, "2026-01-10 03:29:59", "2026-01-10 03:15"),
        ("0 0 1 1 *", NEW_YORK, "2026-06-01 00:00:00", "2026-01-01 05:00"),
        ("0 9 * * 1", BERLIN, "2026-03-01 12:00:00", "2026-02-23 08:00"),  # a Sunday: last Monday
        ("0 9 * * 0", BERLIN, "2026-03-01 12:00:00", "2026-03-01 08:00"),
        ("0 9 13 * 5", BERLIN, "2026-03-20 12:00:00", "2026-03-13 08:00"),  # both day fields: Friday the 13th
        ("0 12 29 2 *", BERLIN, "2027-06-01 00:00:00", "2024-02-29 11:00"),
        ("0 12 29 2 *", BERLIN, "2028-02-29 10:59:59", "2024-02-29 11:00"),
        ("0 12 29 2 *", BERLIN, "2028-02-29 11:00:00", "2028-02-29 11:00"),
        ("0 12 31 * *", BERLIN, "2026-07-01 00:00:00", "2026-05-31 10:00"),
    ],
)
def test_the_slot_of_a_crontab_is_its_last_match_in_its_zone(
    cron: str, zone: ZoneInfo, moment: str, expected: str
) -> None:
    assert slot(cron, zone, moment) == expected


def test_a_day_that_has_not_come_for_four_years_has_no_slot() -> None:
    assert slot("0 0 29 2 1", BERLIN, "2026-01-01 00:00:00") is None, "2016 and 2044 have such a Monday"


@pytest.mark.parametrize("cron", ["0 0 31 2 *", "0 0 31 4,6,9,11 *"])
def test_a_day_that_never_comes_is_refused_by_celery_in_words(cron: str) -> None:
    with pytest.raises(ValueError, match="never occurs"):
        slot(cron, BERLIN, "2026-01-01 00:00:00")


# Germany: clocks go from 2:00 to 3:00 on 29 March 2026, and from 3:00 back to 2:00 on 25 October 2026.
@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-28 01:30:00", "2026-03-28 01:30"),
        ("2026-03-29 01:00:00", "2026-03-28 01:30"),  # 3:00 by the clock
        ("2026-03-29 01:29:59", "2026-03-28 01:30"),
        ("2026-03-29 01:30:00", "2026-03-29 01:30"),  # 3:30 by the clock: half past two does not exist
        ("2026-03-30 00:29:59", "2026-03-29 01:30"),
        ("2026-03-30 00:30:00", "2026-03-30 00:30"),
    ],
)
def test_a_time_that_spring_skips_comes_an_hour_later_by_the_clock(moment: str, expected: str) -> None:
    assert slot("30 2 * * *", BERLIN, moment) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-10-25 00:29:59", "2026-10-24 00:30"),
        ("2026-10-25 00:30:00", "2026-10-25 00:30"),
        ("2026-10-25 01:30:00", "2026-10-25 00:30"),  # half past two for the second time
        ("2026-10-26 01:29:59", "2026-10-25 00:30"),
        ("2026-10-26 01:30:00", "2026-10-26 01:30"),
    ],
)
def test_a_time_that_autumn_repeats_comes_once(moment: str, expected: str) -> None:
    assert slot("30 2 * * *", BERLIN, moment) == expected


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
@pytest.mark.parametrize(("cron", "step"), [("15 * * * *", 60), ("*/15 * * * *", 15), ("* * * * *", 1)])
def test_every_hour_means_every_hour_over_both_changes(day: str, cron: str, step: int) -> None:
    begin = at(f"{day} 00:00:00")
    moments = [begin + timedelta(minutes=n) for n in range(0, 5 * 60, 5)]
    seen = [slot(cron, BERLIN, f"{moment:%Y-%m-%d %H:%M:%S}") for moment in moments]
    for moment, found in zip(moments, seen, strict=True):
        assert found is not None
        assert moment - at(found) < timedelta(minutes=step)


def test_a_midnight_that_spring_skips_comes_at_one() -> None:
    """Chile: on 6 September 2026 the clock goes from midnight to one."""
    assert slot("0 0 * * *", SANTIAGO, "2026-09-06 03:59:59") == "2026-09-05 04:00"
    assert slot("0 0 * * *", SANTIAGO, "2026-09-06 04:00:00") == "2026-09-06 04:00"


@given(
    minute=st.sampled_from(["0", "30", "*/7", "*"]),
    hour=st.sampled_from(["0", "2", "*/6", "*", "23"]),
    zone=st.sampled_from([BERLIN, NEW_YORK, SANTIAGO, KATHMANDU, ZoneInfo("UTC")]),
    start=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    steps=st.lists(st.integers(0, 3 * 3600), min_size=1, max_size=6),
)
def test_slots_never_lie_ahead_and_never_go_back(
    minute: str, hour: str, zone: ZoneInfo, start: datetime, steps: list[int]
) -> None:
    cron = crontab(minute, hour)
    moment, last = start, datetime.min.replace(tzinfo=UTC)
    for step in steps:
        moment += timedelta(seconds=step)
        found = crontab_slot(cron, zone, moment)
        assert found is not None
        assert last <= found <= moment
        assert crontab_slot(cron, zone, found) == found
        last = found
