"""Which slot of a schedule a moment belongs to (pure). Two keepers that ask get the same answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
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


def crontab_slot(cron: crontab, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The latest minute not after `now` that matches in `zone`; None if none does in four years.

    All five fields must match, as in Celery (cron proper takes either day field). A wall-clock time that
    is skipped in spring runs an hour later by the clock; one that comes twice in autumn runs once,
    except where every hour matches: then it goes on through both.
    """
    local = now.astimezone(zone)
    folds = (0, 1) if len(cron.hour) == 24 else (0,)
    for back in range(LOOK_BACK.days):
        day = (local - timedelta(days=back)).date()
        if not _day_matches(cron, day):
            continue
        slots = [
            datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=fold).astimezone(UTC)
            for hour in cron.hour
            for minute in cron.minute
            for fold in folds
        ]
        if past := [slot for slot in slots if slot <= now]:
            return max(past)
    return None


def _day_matches(cron: crontab, day: Any) -> bool:
    return day.month in cron.month_of_year and day.day in cron.day_of_month and day.isoweekday() % 7 in cron.day_of_week
