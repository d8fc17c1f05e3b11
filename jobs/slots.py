"""Which slot of a schedule a moment belongs to (pure). Two keepers that ask get the same answer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from celery.schedules import crontab

LOOK_BACK = timedelta(days=366 * 4 + 1)
"""29 February comes again within this."""


def interval_slot(every: timedelta, now: datetime) -> datetime:
    """The latest multiple of `every` since the epoch that is not after `now`."""
    seconds = every.total_seconds()
    if seconds <= 0:
        raise ValueError(f"an interval is longer than zero, got {every}")
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=UTC)


def next_interval_slot(every: timedelta, now: datetime) -> datetime:
    """The earliest multiple of `every` since the epoch that is after `now`."""
    return interval_slot(every, now) + every


def crontab_slot(cron: crontab, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The latest minute not after `now` that matches in `zone`; None if none does in four years.

    All five fields must match, as in Celery (cron proper takes either day field). A wall-clock time that
    is skipped in spring runs an hour later by the clock; one that comes twice in autumn runs once,
    except where every hour matches: then it goes on through both.
    """
    today = now.astimezone(zone).date()
    for back in range(LOOK_BACK.days):
        if past := [slot for slot in _slots_of(cron, zone, today - timedelta(days=back)) if slot <= now]:
            return max(past)
    return None


def next_crontab_slot(cron: crontab, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The earliest minute after `now` that `crontab_slot` will name; None if there is none in four years."""
    today = now.astimezone(zone).date()
    for ahead in range(-1, LOOK_BACK.days):
        if coming := [slot for slot in _slots_of(cron, zone, today + timedelta(days=ahead)) if slot > now]:
            return min(coming)
    return None


def _slots_of(cron: crontab, zone: ZoneInfo, day: date) -> list[datetime]:
    if not _day_matches(cron, day):
        return []
    folds = (0, 1) if len(cron.hour) == 24 else (0,)
    return [
        datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=fold).astimezone(UTC)
        for hour in cron.hour
        for minute in cron.minute
        for fold in folds
    ]


def _day_matches(cron: crontab, day: date) -> bool:
    return day.month in cron.month_of_year and day.day in cron.day_of_month and day.isoweekday() % 7 in cron.day_of_week
