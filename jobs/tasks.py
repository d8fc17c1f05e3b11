"""The engine's own jobs."""

from __future__ import annotations

from django.conf import settings

from jobs import retention as finished_rows
from jobs.context import current_job
from jobs.database import now
from jobs.kinds import job
from jobs.states import FINISHED
from jobs.version import VERSION
from jobs.worker.identity import boot

if settings.JOBS_DRILL:
    import jobs.drill  # noqa: F401 - declares the kind


@job(queue="general", max_attempts=3)
def retention() -> dict[str, int]:
    """Remove finished jobs past their keeping; safe to run twice: what is gone is gone."""
    moment = now()
    removed = 0
    for kind in finished_rows.kinds_with_finished():
        for state in sorted(FINISHED):
            while batch := finished_rows.remove_batch(kind, state, moment):
                removed += batch
                current_job().checkpoint()
    finished_rows.remove_leftovers(moment)
    return {"removed": removed}


@job(queue="general", max_attempts=1, timeout=30.0)
def canary() -> dict[str, str]:
    """Tell which worker of which build ran it, for `manage.py jobs doctor`; safe to run twice, it touches nothing."""
    return {"worker": boot.name, "version": VERSION}
