"""How finished rows leave: the newest of each kind and the young ones stay, the rest goes in batches."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from jobs.archivable import Archivable, Part
from jobs.database import rows
from jobs.states import FINISHED, State

BATCH = 1000
WORKERS_KEPT_FOR = timedelta(days=30)

# Walks the distinct kinds by index probes: a DISTINCT would read every finished row.
_KINDS = """
WITH RECURSIVE k AS (
    (SELECT kind FROM jobs_job WHERE finished_at IS NOT NULL ORDER BY kind LIMIT 1)
    UNION ALL
    SELECT (SELECT kind FROM jobs_job WHERE finished_at IS NOT NULL AND kind > k.kind ORDER BY kind LIMIT 1)
    FROM k WHERE k.kind IS NOT NULL
) SELECT kind FROM k WHERE kind IS NOT NULL
"""
_PAST_KEEPING = """
    SELECT id FROM jobs_job WHERE kind = %(kind)s AND state = %(state)s AND finished_at < %(before)s
        AND (finished_at, id) <= (
            SELECT finished_at, id FROM jobs_job
            WHERE kind = %(kind)s AND state = %(state)s AND finished_at IS NOT NULL
            ORDER BY finished_at DESC, id DESC OFFSET %(newest)s LIMIT 1)
    ORDER BY finished_at LIMIT %(batch)s
"""
_REMOVE = f"DELETE FROM jobs_job WHERE id = ANY(ARRAY({_PAST_KEEPING} FOR UPDATE SKIP LOCKED)) RETURNING id"  # noqa: S608


def kinds_with_finished() -> list[str]:
    """Kinds of which finished rows exist."""
    return [kind for (kind,) in rows(_KINDS)]


def remove_batch(kind: str, state: State, now: datetime) -> int:
    """Remove up to BATCH rows of this kind and state that are both old enough and not among the newest."""
    return len(rows(_REMOVE, _params(kind, state, now, BATCH)))


def past_keeping(now: datetime, limit: int) -> list[uuid.UUID]:
    """Up to `limit` ids of finished jobs that are both old enough and not among the newest of their kind."""
    found: list[uuid.UUID] = []
    for kind in kinds_with_finished():
        for state in sorted(FINISHED):
            if (left := limit - len(found)) > 0:
                found += [key for (key,) in rows(_PAST_KEEPING, _params(kind, state, now, left))]
    return found


def _params(kind: str, state: State, now: datetime, batch: int) -> dict[str, Any]:
    completed = state is State.COMPLETED
    return {
        "kind": kind,
        "state": state.value,
        "before": now - (settings.JOBS_KEEP_COMPLETED_FOR if completed else settings.JOBS_KEEP_FAILED_FOR),
        "newest": settings.JOBS_KEEP_COMPLETED if completed else settings.JOBS_KEEP_FAILED,
        "batch": batch,
    }


def remove_leftovers(now: datetime) -> None:
    """Forget unique keys whose period is over and workers that have long been gone."""
    rows("DELETE FROM jobs_uniqueclaim WHERE until <= %s", [now])
    rows("DELETE FROM jobs_worker WHERE seen_at < %s", [now - WORKERS_KEPT_FOR])


ARCHIVABLE = Archivable(
    name="jobs",
    table="jobs_job",
    key="uuid",
    due=past_keeping,
    parts=(Part(table="jobs_attempt", owner="job_id"), Part(table="jobs_joblog", owner="job_id")),
)
