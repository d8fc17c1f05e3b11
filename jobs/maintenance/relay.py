"""Doorbells that were lost, or that there was no room for, are rung."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from jobs import broker, lifecycle
from jobs import statements as sql
from jobs.database import now as database_now
from jobs.database import rows
from jobs.doorbell import Bell, breaker, ring
from jobs.maintenance import pulse
from jobs.maintenance.pulse import Pulse

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """A queue with waiting jobs, as one look of the relay sees it."""

    queue: str
    depth: int
    woken_at: datetime | None
    kinds: list[str] | None
    """Kinds that its living workers know; None while no worker lives, for then any may come."""
    allowed: int | None = None
    """How many may start now by the queue's limits; None: it has none."""

    @property
    def room(self) -> int:
        """Doorbells to ring now: none until half the window has been consumed, then the window is filled.

        Of a queue with limits no more than may start.
        """
        window = settings.JOBS_WINDOW
        if self.depth >= window / 2:
            return 0
        return max(0, min(window, window if self.allowed is None else self.allowed) - self.depth)


def relay_once(now: datetime, seen: Pulse) -> bool:
    """Ring what waits unheard, per queue in order of priority; True when a window was filled (look again soon)."""
    if breaker.open:
        return False
    names = _queues_with_waiting()
    try:
        mark, depths = broker.mark(), broker.depths(names)
    except Exception as error:  # noqa: BLE001 - whatever the broker does, the rows wait
        breaker.failed(error)
        return False
    epoch_at = seen.epoch_at
    if mark != seen.epoch:
        logger.warning("relay: the broker was restarted or wiped; what was rung before counts as unrung")
        pulse.note_epoch(mark, now=now)
        epoch_at = now
    filled = False
    for backlog in _backlogs(names, depths, now):
        filled |= _ring_backlog(backlog, now, epoch_at)
    return filled


def _ring_backlog(backlog: Backlog, now: datetime, epoch_at: datetime) -> bool:
    if not backlog.room:
        return False
    when_empty, when_busy, cap = settings.JOBS_RERING
    bells = lifecycle.reserve_silent(
        queue=backlog.queue,
        kinds=backlog.kinds,
        now=now,
        lost_before=max(epoch_at, backlog.woken_at or epoch_at),
        base=when_busy if backlog.depth else when_empty,
        cap=cap,
        limit=backlog.room,
    )
    ring_or_give_back(bells)
    return len(bells) == backlog.room


def ring_jobs(ids: Sequence[uuid.UUID], *, queues: Iterable[str]) -> int:
    """Ring these jobs now, as far as a claim would take them; returns how many."""
    if not ids:
        return 0
    bells = [bell for queue in queues for bell in lifecycle.reserve_jobs(queue=queue, ids=ids)]
    ring_or_give_back(bells)
    return len(bells)


def ring_queue(queue: str) -> None:
    """Ring the head of a queue now (after a resume), without waiting for the keeper."""
    if not breaker.open:
        now = database_now()
        try:
            depths = broker.depths([queue])
        except Exception as error:  # noqa: BLE001 - the keeper rings later
            breaker.failed(error)
            return
        for backlog in _backlogs([queue], depths, now):
            _ring_backlog(backlog, now, backlog.woken_at or now)


def ring_next(queue: str) -> None:
    """After a run on a queue with limits: ring as many as may start now and have not been told."""
    allowed = _allowances(queue).get(queue)
    if not allowed or allowed < 1 or breaker.open:
        return
    try:
        room = min(allowed, settings.JOBS_WINDOW) - broker.depths([queue])[queue]
    except Exception as error:  # noqa: BLE001 - the keeper rings later
        breaker.failed(error)
        return
    if room > 0:
        ring_or_give_back(lifecycle.reserve_unrung(queue=queue, limit=room))


def wake(queue: str) -> None:
    """Let every doorbell of this queue that was rung so far count as lost (burnt while paused, or by a dead worker)."""
    rows(
        "INSERT INTO jobs_queuecontrol (queue, wake_at) VALUES (%s, clock_timestamp()) "
        "ON CONFLICT (queue) DO UPDATE SET wake_at = excluded.wake_at",
        [queue],
    )


def ring_or_give_back(bells: Sequence[Bell]) -> None:
    """Ring; if the broker is away, mark the jobs unrung again."""
    if bells and not ring(bells):
        lifecycle.unring([bell.job_id for bell in bells])


def _queues_with_waiting() -> list[str]:
    """Of the queues in the settings, those where anything waits; one index probe each."""
    found = rows(
        "SELECT q FROM unnest(%s::text[]) q WHERE EXISTS (SELECT FROM jobs_job WHERE state = 'waiting' AND queue = q)",
        [list(settings.JOBS_QUEUES)],
    )
    return [name for (name,) in found]


def _backlogs(names: Sequence[str], depths: dict[str, int], now: datetime) -> list[Backlog]:
    if not names:
        return []
    woken: dict[str, datetime] = dict(rows("SELECT queue, wake_at FROM jobs_queuecontrol"))
    known, allowed = known_kinds(now), _allowances(None)
    return [
        Backlog(
            queue=name,
            depth=depths[name],
            woken_at=woken.get(name),
            kinds=known.get(name),
            allowed=allowed.get(name),
        )
        for name in names
    ]


def _allowances(queue: str | None) -> dict[str, int]:
    """How many jobs may start now on each queue that has limits (on this one, or on all)."""
    found = rows(sql.ROOM, {"queue": queue})
    return {name: min(n for n in (places, starts) if n is not None) for name, places, starts in found}


def known_kinds(now: datetime) -> dict[str, list[str]]:
    """Per queue, the kinds that its living workers know; no entry for a queue without a living worker."""
    alive_since = now - timedelta(seconds=settings.JOBS_LEASE)
    found = rows(
        "SELECT q, array_agg(DISTINCT k) FROM jobs_worker w, unnest(w.queues) q, unnest(w.kinds) k "
        "WHERE w.stopped_at IS NULL AND w.seen_at > %s GROUP BY q",
        [alive_since],
    )
    return dict(found)
