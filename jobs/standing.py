"""How each queue stands, and in one sentence why nothing runs there. Finished jobs are never counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from jobs import limits, selectors
from jobs.database import rows
from jobs.models import QueueLimit, QueuePause, Worker
from jobs.states import State

UNFINISHED = (State.WAITING, State.DELAYED, State.ACTIVE, State.UNKNOWN)


@dataclass(kw_only=True)
class Standing:
    """One queue at one moment."""

    queue: str
    depth: dict[str, int]
    oldest_due: timedelta | None = None
    """For how long the oldest job that could run has been due."""
    pauses: list[QueuePause] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    keeper_silent: bool = False
    limit: QueueLimit | None = None
    held_back: str = ""
    """Why its limits let nothing more start now; empty when they do, or when it has none."""

    @property
    def processes(self) -> int:
        """How many jobs its living workers may run at once (a worker of several queues shares them)."""
        return sum(worker.concurrency for worker in self.workers)

    @property
    def why_still(self) -> str:
        """Why nothing runs, or that something does."""
        waiting, active = self.depth[State.WAITING], self.depth[State.ACTIVE]
        reasons = [
            (bool(self.pauses), "; ".join(f"paused by {p.owner}: {p.reason}" for p in self.pauses)),
            (not self.workers, f"no living worker serves it{', and jobs wait' if waiting else ''}"),
            (self.keeper_silent, "no keeper ticks: delayed jobs do not become due; start celery beat"),
            (waiting > 0 and bool(self.held_back), self.held_back),
            (active > 0, f"{active} of {self.processes} processes busy"),
            (waiting > 0, "waits for a free process or for the next look of the keeper"),
        ]
        return next((text for true, text in reasons if true), "nothing waits")


def standings(now: datetime) -> list[Standing]:
    """Every queue of the settings, in their order."""
    depth, oldest, held = depths(), selectors.oldest_due(now), selectors.pauses(now)
    workers, age = list(selectors.living_workers(now)), selectors.keeper_age(now)
    limited = {found.queue: found for found in QueueLimit.objects.all()}
    return [
        Standing(
            queue=queue,
            depth=depth[queue],
            oldest_due=timedelta(seconds=oldest[queue]) if queue in oldest else None,
            pauses=held.get(queue, []),
            workers=[worker for worker in workers if queue in worker.queues],
            keeper_silent=age is None or age > selectors.KEEPER_SILENT,
            limit=limited.get(queue),
            held_back=limits.why_held(limited[queue], now) if queue in limited else "",
        )
        for queue in settings.JOBS_QUEUES
    ]


# Each state apart, so that each is counted in its own partial index.
_DEPTHS = " UNION ALL ".join(
    f"SELECT queue, state, count(*) FROM jobs_job WHERE state = '{state}' GROUP BY queue, state"  # noqa: S608 - constants
    for state in UNFINISHED
)


def depths() -> dict[str, dict[str, int]]:
    """Unfinished jobs by queue and state; every queue of the settings and every such state is named."""
    found = {queue: {state.value: 0 for state in UNFINISHED} for queue in settings.JOBS_QUEUES}
    for queue, state, number in rows(_DEPTHS):
        if queue in found:
            found[queue][state] = number
    return found
