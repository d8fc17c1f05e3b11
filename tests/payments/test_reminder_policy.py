"""When a reminder is due: days where the reader lives, from nine o'clock, for three days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from payments.reminders import policy
from payments.reminders.policy import STAGES, Due, Matter, Reason

BERLIN = "Europe/Berlin"
MOMENT = timedelta(seconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def matter(since: str, *, reason: Reason = Reason.UNFUNDED, time_zone: str = "UTC") -> Matter:
    return Matter(reason=reason, row=7, since=at(since), user=42, time_zone=time_zone)


def stage(one: Matter, now: datetime) -> int | None:
    found = policy.due(one, now=now)
    return found.stage if found else None


def test_it_begins_at_nine_of_its_day_and_ends_three_days_later() -> None:
    one = matter("2026-11-01 23:59")
    nine = at("2026-11-04 09:00")
    assert stage(one, nine - MOMENT) is None
    assert stage(one, nine) == 3
    assert stage(one, nine + timedelta(days=3)) == 3
    assert stage(one, nine + timedelta(days=3) + MOMENT) is None
    assert stage(one, at("2026-11-08 08:59")) is None
    assert stage(one, at("2026-11-08 09:00")) == 7


@pytest.mark.parametrize("reason", Reason)
def test_every_stage_of_every_reason_has_its_days_and_there_is_none_besides(reason: Reason) -> None:
    one = matter("2026-01-01 12:00", reason=reason)
    hours = (at("2026-01-01 12:00") + timedelta(hours=n) for n in range(24 * 120))
    seen = [found for now in hours if (found := stage(one, now))]
    assert list(dict.fromkeys(seen)) == list(STAGES[reason]) == sorted(set(seen))
    assert all(seen.count(days) <= 73 for days in STAGES[reason])


def test_of_two_at_the_same_moment_the_later_is_meant() -> None:
    one = matter("2026-11-01 12:00", reason=Reason.DISPUTE)
    both = at("2026-11-06 09:00")  # the first one's last moment, and the second one's first
    assert stage(one, both - MOMENT) == 2
    assert stage(one, both) == 5
    assert policy.is_past(one, 2, now=both)
    assert not policy.is_past(one, 5, now=both)


def test_what_is_not_due_yet_is_not_past() -> None:
    """A reader may move to another time zone between the writing and the sending."""
    assert not policy.is_past(matter("2026-11-01 12:00"), 3, now=at("2026-11-04 08:00"))


@pytest.mark.parametrize(
    ("time_zone", "since", "nine"),
    [
        ("UTC", "2026-11-01 23:30", "2026-11-04 09:00"),
        (BERLIN, "2026-11-01 23:30", "2026-11-05 08:00"),  # it was the next day there already
        ("America/Los_Angeles", "2026-11-02 03:00", "2026-11-04 17:00"),  # and the day before there
        ("Pacific/Kiritimati", "2026-11-01 12:00", "2026-11-04 19:00"),  # UTC+14
        ("Asia/Kathmandu", "2026-11-01 12:00", "2026-11-04 03:15"),  # UTC+5:45
    ],
)
def test_the_day_and_the_hour_are_the_readers(time_zone: str, since: str, nine: str) -> None:
    assert matter(since, time_zone=time_zone).starts(3) == at(nine)


@pytest.mark.parametrize(
    ("since", "nine"),
    [
        ("2027-03-26 12:00", "2027-03-29 07:00"),  # summer time began on March 28: nine is an hour earlier in UTC
        ("2027-03-25 08:00", "2027-03-28 07:00"),  # on the very day, six hours after the change
        ("2027-03-24 12:00", "2027-03-27 08:00"),  # the day before
        ("2026-10-23 12:00", "2026-10-26 08:00"),  # summer time ended on October 25
        ("2026-10-22 12:00", "2026-10-25 08:00"),
        ("2026-10-21 12:00", "2026-10-24 07:00"),
    ],
)
def test_nine_stays_nine_when_the_clocks_change(since: str, nine: str) -> None:
    one = matter(since, time_zone=BERLIN)
    assert one.starts(3) == at(nine)
    assert stage(one, at(nine) - MOMENT) is None
    assert stage(one, at(nine)) == 3


@pytest.mark.parametrize("change", ["2027-03-26", "2026-10-23"])
def test_a_stage_lasts_three_days_also_over_a_change_of_clocks(change: str) -> None:
    one = matter(f"{change} 12:00", time_zone=BERLIN)
    for days in STAGES[Reason.UNFUNDED]:
        assert stage(one, one.starts(days) + timedelta(days=3)) == days
        assert stage(one, one.starts(days) + timedelta(days=3) + MOMENT) is None


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "Europe", "../etc/passwd", "/etc/localtime"])
def test_an_unknown_zone_is_utc(name: str) -> None:
    assert matter("2026-11-01 12:00", time_zone=name).starts(3) == at("2026-11-04 09:00")


def test_a_key_says_what_it_is_about_and_can_be_read_again() -> None:
    due = policy.due(matter("2026-11-01 12:00"), now=at("2026-11-04 12:00"))
    assert due is not None
    assert due.key == "reminder:unfunded:7:3:42"
    assert Due.read(due.key) == due
    with pytest.raises(ValueError, match="no reminder"):
        Due.read("funded:7:unfunded:3:42")


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("time_zone", ["Pacific/Kiritimati", "Etc/GMT+12", BERLIN])
def test_whatever_is_due_began_within_the_spans_that_are_searched(reason: Reason, time_zone: str) -> None:
    now = at("2027-03-29 07:00")
    for hours in range(24 * 100):
        began = now - timedelta(hours=hours)
        one = Matter(reason=reason, row=7, since=began, user=42, time_zone=time_zone)
        if stage(one, now):
            assert any(first <= began <= last for first, last in policy.spans(reason, now=now)), began
