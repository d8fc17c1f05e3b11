"""Schedules from django-celery-beat's tables become job rows: each slot once, whoever keeps."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django_celery_beat.models import PeriodicTask

from jobs.enqueue import JobHandle, enqueue_json
from jobs.kinds import kind_of
from jobs.models import Job
from jobs.slots import crontab_slot, interval_slot, next_crontab_slot, next_interval_slot

logger = logging.getLogger(__name__)

_complained: dict[int, str] = {}


def fire_once(now: datetime) -> int:
    """Enqueue every enabled schedule whose slot has come and was not enqueued yet; returns how many.

    Missed slots are made up for by one job, for the latest of them. A schedule that cannot be enqueued
    (unknown kind, bad arguments) is logged, keeps its slot, and disturbs no other.
    """
    return sum(_fire_safely(entry, now) for entry in _enabled(now))


def next_slot(now: datetime) -> datetime | None:
    """The earliest moment at which a schedule may be due: an interval's next multiple, or the next full minute."""
    coming = [
        interval_slot(every, now) + every
        for entry in _enabled(now)
        if (every := entry.interval.schedule.run_every if entry.interval else timedelta(minutes=1))
    ]
    return min(coming, default=None)


def _enabled(now: datetime) -> list[PeriodicTask]:
    chosen = PeriodicTask.objects.filter(Q(start_time=None) | Q(start_time__lte=now), enabled=True)
    chosen = chosen.filter(Q(expires=None) | Q(expires__gt=now))
    return list(chosen.select_related("interval", "crontab", "clocked", "solar"))


def _fire_safely(entry: PeriodicTask, now: datetime) -> bool:
    try:
        slot = slot_of(entry, now)
        return slot is not None and slot > _seen(entry) and _fire(entry, slot)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - a kind's `subject=` may raise anything
        if _complained.get(entry.pk) != str(error):
            logger.error("schedule %r is not enqueued: %s", entry.name, error)
        _complained[entry.pk] = str(error)
        return False


def slot_of(entry: PeriodicTask, now: datetime) -> datetime | None:
    """The entry's latest slot not after `now`. Raises ValueError for a kind of schedule that has no slots."""
    if entry.interval:
        return interval_slot(entry.interval.schedule.run_every, now)
    if entry.crontab:
        return crontab_slot(entry.crontab.schedule, entry.crontab.timezone, now)
    if entry.clocked:
        moment: datetime = entry.clocked.clocked_time
        return moment.astimezone(UTC) if moment <= now else None
    raise ValueError("only interval, crontab and clocked schedules can be kept")


def next_run(entry: PeriodicTask, now: datetime) -> datetime | None:
    """When the entry fires next, in the past where a keeper is late; None if never. Raises ValueError as `slot_of`."""
    if not entry.enabled:
        return None
    latest = slot_of(entry, now)
    seen = _seen(entry)
    coming = latest if latest is not None and latest > seen else _slot_after(entry, max(now, seen))
    return None if coming is None or (entry.expires and coming >= entry.expires) else coming


def _slot_after(entry: PeriodicTask, moment: datetime) -> datetime | None:
    if entry.interval:
        return next_interval_slot(entry.interval.schedule.run_every, moment)
    if entry.crontab:
        return next_crontab_slot(entry.crontab.schedule, entry.crontab.timezone, moment)
    return entry.clocked.clocked_time if entry.clocked.clocked_time > moment else None


def run_now(entry: PeriodicTask) -> JobHandle:
    """Enqueue the entry's job once, beside its slots.

    Raises LookupError, InvalidArguments, InvalidOptions or ValueError, in words.
    """
    return _enqueue(entry, by=f"schedule:{entry.name} (by hand)"[:200])


def _seen(entry: PeriodicTask) -> datetime:
    """Slots up to here are done with. A change of the entry starts it afresh: what passed before is not made up."""
    if entry.clocked:
        return entry.last_run_at or datetime.min.replace(tzinfo=UTC)
    return max(
        filter(None, (entry.last_run_at, entry.date_changed, entry.start_time and _just_before(entry.start_time)))
    )


def _just_before(moment: datetime) -> datetime:
    return moment - timedelta(microseconds=1)


def _fire(entry: PeriodicTask, slot: datetime) -> bool:
    """Write the slot and the job together; False when another keeper was quicker."""
    with transaction.atomic():
        mine = PeriodicTask.objects.filter(Q(last_run_at=None) | Q(last_run_at__lt=slot), pk=entry.pk, enabled=True)
        # update(), not save(): a save would move date_changed and tell every reader that the schedule changed.
        if not mine.update(
            last_run_at=slot, total_run_count=F("total_run_count") + 1, enabled=not (entry.one_off or entry.clocked)
        ):
            return False
        if Job.objects.filter(schedule_id=entry.pk, slot=slot).exists():
            return False
        _enqueue(entry, by=f"schedule:{entry.name}"[:200], slot=slot)
    _complained.pop(entry.pk, None)
    return True


def _enqueue(entry: PeriodicTask, **options: Any) -> JobHandle:
    if json.loads(entry.args or "[]"):
        raise ValueError("a job takes keyword arguments only")
    return enqueue_json(
        kind_of(entry.task),
        json.loads(entry.kwargs or "{}"),
        queue=entry.queue or None,
        priority=entry.priority,
        expires=entry.expire_seconds,
        schedule_id=entry.pk,
        **options,
    )
