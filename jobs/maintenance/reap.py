"""Jobs whose worker is gone run again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from jobs.database import rows
from jobs.events import emit
from jobs.lifecycle import Lost, lose_expired
from jobs.maintenance.relay import ring_jobs, wake
from jobs.statements import GONE_WORKERS
from jobs.states import State

BATCH = 500


def reap_once(now: datetime, *, not_before: datetime) -> int:
    """Take away leases that ran out before `now`; returns how many. Nothing before `not_before` (pulse.begin)."""
    if now < not_before:
        return 0
    lost = lose_expired(now=now, limit=BATCH)
    tell_and_ring(lost)
    _bury_workers(now)
    return len(lost)


def _bury_workers(now: datetime) -> None:
    """Let what a dead worker had prefetched be rung again at once. One that was only frozen says so when it wakes."""
    for name, queues in rows(GONE_WORKERS, {"before": now - timedelta(seconds=settings.JOBS_LEASE)}):
        emit("worker gone", worker=name, queues=",".join(queues))
        for queue in queues:
            wake(queue)


def tell_and_ring(lost: Sequence[Lost]) -> None:
    """Say what was lost, and ring what may run again."""
    for job in lost:
        emit("crashed", kind=job.kind, job=job.id, now=job.state)
    again = [job for job in lost if job.state == State.WAITING]
    ring_jobs([job.id for job in again], queues=sorted({job.queue for job in again}))
