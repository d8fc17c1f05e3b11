"""Delayed jobs whose time has come wait; jobs that nobody started in time are cancelled."""

from __future__ import annotations

from datetime import datetime

from jobs.database import rows
from jobs.lifecycle import expire, promote

BATCH = 2000


def promote_once(now: datetime) -> int:
    """Make due jobs wait; returns how many."""
    return promote(now=now, limit=BATCH)


def expire_once(now: datetime) -> int:
    """Cancel jobs past their expiry; returns how many."""
    return expire(now=now, limit=BATCH)


def next_due() -> datetime | None:
    """When the next delayed job is due."""
    due: datetime | None = rows("SELECT min(available_at) FROM jobs_job WHERE state = 'delayed'")[0][0]
    return due
