"""Which jobs may be rung, and when their time has come."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from jobs import statements as sql
from jobs.database import rows
from jobs.doorbell import Bell


def promote(*, now: datetime, limit: int) -> int:
    """Make delayed jobs that are due by `now` wait; returns how many."""
    return len(rows(sql.PROMOTE, {"now": now, "limit": limit}))


def expire(*, now: datetime, limit: int) -> int:
    """Cancel jobs that were not started before their expiry; returns how many."""
    return len(rows(sql.EXPIRE, {"now": now, "limit": limit}))


def reserve_silent(
    *,
    queue: str,
    kinds: Sequence[str] | None,
    now: datetime,
    lost_before: datetime,
    base: float,
    cap: float,
    limit: int,
) -> list[Bell]:
    """Mark as rung the first `limit` jobs of a queue that a claim would take and whose doorbell is missing.

    A doorbell is missing when none was rung, when it was rung before `lost_before`, or when it has been
    silent for `base` seconds, doubled with each ring up to `cap`. `kinds` None takes any kind.
    """
    params = {
        "queue": queue,
        "kinds": None if kinds is None else list(kinds),
        "now": now,
        "lost_before": lost_before,
        "base": base,
        "cap": cap,
        "limit": limit,
    }
    return _bells(rows(sql.RESERVE_SILENT, params))


def reserve_jobs(*, queue: str, ids: Sequence[uuid.UUID]) -> list[Bell]:
    """Mark as rung those of these jobs that a claim would take."""
    return _bells(rows(sql.RESERVE_IDS, {"queue": queue, "ids": list(ids), "limit": len(ids)}))


def reserve_next_of_key(key: str) -> list[Bell]:
    """Mark as rung the job that is next in line for a concurrency key."""
    return _bells(rows(sql.RESERVE_KEY, {"key": key, "limit": 1}))


def reserve_next_of_kind(kinds: Sequence[str], *, queue: str) -> list[Bell]:
    """Mark as rung the job that is next in line among these kinds of a queue."""
    return _bells(rows(sql.RESERVE_KIND, {"kinds": list(kinds), "queue": queue, "limit": 1}))


def reserve_unrung(*, queue: str, limit: int) -> list[Bell]:
    """Mark as rung the first `limit` jobs of a queue that a claim would take and nobody was told of."""
    return _bells(rows(sql.RESERVE_UNRUNG, {"queue": queue, "limit": limit}))


def _bells(found: list[tuple[Any, ...]]) -> list[Bell]:
    """In order of priority and due time. One that has waited its turn before (its doorbell or its worker was
    lost) goes ahead of its own priority in Redis, not behind a window full of younger ones."""
    found.sort(key=lambda row: (row[4], row[5], row[0]))
    return [
        Bell(job_id=r[0], dispatch_no=r[1], kind=r[2], queue=r[3], priority=max(0, r[4] - 1) if r[6] else r[4])
        for r in found
    ]


def unring(ids: Sequence[uuid.UUID]) -> int:
    """Say that these waiting jobs' doorbells did not arrive, so that the relay rings them; returns how many."""
    return len(rows(sql.UNRING, {"ids": list(ids)}))
