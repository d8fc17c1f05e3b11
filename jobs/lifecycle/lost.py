"""Taking jobs away from workers that are gone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from jobs import statements as sql
from jobs.database import rows
from jobs.states import State


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A job whose run ended with its worker."""

    id: uuid.UUID
    kind: str
    queue: str
    state: State
    concurrency_key: str | None


def lose_expired(*, now: datetime, limit: int) -> list[Lost]:
    """Take jobs away from workers whose lease ran out before `now`."""
    return _lose(sql.LOSE_EXPIRED, error="its worker was lost (lease ran out)", now=now, limit=limit)


def lose_child(*, worker: uuid.UUID, pid: int) -> list[Lost]:
    """Take the jobs away that a child process held which is known to be dead; nothing that had moved on."""
    return _lose(sql.LOSE_CHILD, error=f"its process {pid} died", worker=worker, pid=pid, limit=1000)


def _lose(statement: str, *, error: str, **params: Any) -> list[Lost]:
    found = rows(statement, {"crash_limit": settings.JOBS_CRASH_LIMIT, "error": error, **params})
    return [
        Lost(id=job_id, kind=kind, queue=queue, state=State(state), concurrency_key=key)
        for job_id, kind, queue, state, key in found
    ]
