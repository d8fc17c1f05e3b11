"""How finished rows leave: the newest of each kind and the young ones stay, the rest goes in batches."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from jobs.database import rows
from jobs.states import State

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
_REMOVE = """
DELETE FROM jobs_job WHERE id = ANY(ARRAY(
    SELECT id FROM jobs_job WHERE kind = %(kind)s AND state = %(state)s AND finished_at < %(before)s
        AND (finished_at, id) <= (
            SELECT finished_at, id FROM jobs_job
            WHERE kind = %(kind)s AND state = %(state)s AND finished_at IS NOT NULL
            ORDER BY finished_at DESC, id DESC OFFSET %(newest)s LIMIT 1)
    ORDER BY finished_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
RETURNING id
"""


def kinds_with_finished() -> list[str]:
    """Kinds of which finished rows exist."""
    return [kind for (kind,) in rows(_KINDS)]


def remove_batch(kind: str, state: State, now: datetime) -> int:
    """Remove up to BATCH rows of this kind and state that are both old enough and not among the newest."""
    completed = state is State.COMPLETED
    params = {
        "kind": kind,
        "state": state.value,
        "before": now - (settings.JOBS_KEEP_COMPLETED_FOR if completed else settings.JOBS_KEEP_FAILED_FOR),
        "newest": settings.JOBS_KEEP_COMPLETED if completed else settings.JOBS_KEEP_FAILED,
        "batch": BATCH,
    }
    return len(rows(_REMOVE, params))


def remove_leftovers(now: datetime) -> None:
    """Forget unique keys whose period is over and workers that have long been gone."""
    rows("DELETE FROM jobs_uniqueclaim WHERE until <= %s", [now])
    rows("DELETE FROM jobs_worker WHERE seen_at < %s", [now - WORKERS_KEPT_FOR])
