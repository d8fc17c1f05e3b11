"""What happens to jobs, as it happens: found by cheap looks at the ends of indexes, never by a scan.

Shown are: a job was enqueued; it waits (promoted, due again, retried, released); it was started (if a look met it
running); a run ended; a line was logged; it was cancelled. A decision about an unknown outcome is not shown.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Manager, Model, QuerySet

from jobs.database import now as database_now
from jobs.kinds import REGISTRY
from jobs.models import Attempt, Job, JobLog
from jobs.selectors import Filter
from jobs.states import State

LOOKBACK = 10.0
"""Seconds: a row that was committed later than this after its key was made is missed."""
PAGE = 1000
"""Rows of one sort in one look; of more the oldest are left out."""
HORIZON = 10_000
"""Of each table so many of the newest rows are searched for what happened before the first look."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened to a job."""

    at: datetime
    event: str
    state: str
    job: Job
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """For a line of JSON."""
        job = self.job
        named = {"at": self.at.isoformat(), "event": self.event, "id": str(job.id), "kind": job.kind}
        return named | {"queue": job.queue, "state": self.state, "subject": job.subject, "detail": self.detail}


class Reel[M: Model]:
    """A table's new rows in the order of their keys, each once; `query` chooses among them.

    Keys are made before their transactions commit, so that a smaller one may appear after a greater: the floor
    under which nobody looks any more follows LOOKBACK seconds behind the table's newest key.
    """

    def __init__(self, table: Manager[M], query: QuerySet[M]) -> None:
        self._keys = table.order_by("-pk").values_list("pk", flat=True)
        self._query = query.order_by("-pk")
        self._floor = self._keys[HORIZON : HORIZON + 1].first()
        self._newest: deque[tuple[float, Any]] = deque()
        self._seen: set[Any] = set()

    def new(self) -> list[M]:
        """What was not seen yet, oldest first."""
        self._raise_floor()
        query = self._query if self._floor is None else self._query.filter(pk__gt=self._floor)
        fresh = set(query.values_list("pk", flat=True)[:PAGE]) - self._seen
        self._seen |= fresh
        return list(query.filter(pk__in=fresh).reverse()) if fresh else []

    def _raise_floor(self) -> None:
        moment = time.monotonic()
        while self._newest and moment - self._newest[0][0] > LOOKBACK:
            self._floor = self._newest.popleft()[1]
            self._seen = {key for key in self._seen if key > self._floor}
        newest = self._keys.first()
        if newest is not None:
            self._newest.append((moment, newest))


class Feed:
    """What happened to the jobs of a filter since the last look."""

    def __init__(self, filter_: Filter) -> None:
        jobs = filter_.apply().order_by()
        mine = {f"job__{name}": value for name, value in vars(filter_).items() if value}
        self._running = jobs.filter(state=State.ACTIVE)
        self._cancelled = jobs.filter(state=State.CANCELLED, kind__in=sorted(REGISTRY))
        # Every column of the index before available_at is named, so that it is entered there.
        self._waiting = jobs.filter(state=State.WAITING, queue__in=list(settings.JOBS_QUEUES), priority__in=range(10))
        self._made = Reel(Job.objects, jobs)
        self._ended = Reel(Attempt.objects, Attempt.objects.filter(**mine).select_related("job"))
        self._logged = Reel(JobLog.objects, JobLog.objects.filter(**mine).select_related("job"))
        self._told: dict[tuple[uuid.UUID, object], float] = {}

    def look(self) -> list[Event]:
        """Everything new, by its time."""
        since = database_now() - timedelta(seconds=LOOKBACK)
        found = [*self._enqueued(), *self._runs(), *self._lines()]
        found += self._started()
        found += self._waits(since)
        found += self._cancels(since)
        self._forget()
        return sorted(found, key=lambda event: event.at)

    def _enqueued(self) -> Iterator[Event]:
        for job in self._made.new():
            if job.state == State.WAITING and not job.runs:
                self._first((job.id, job.available_at))
            if job.state == State.DELAYED and not job.runs:
                detail = f"due {job.available_at:%H:%M:%S}"
                yield Event(at=job.created_at, event="enqueued", state=State.DELAYED, job=job, detail=detail)
            else:
                yield Event(at=job.created_at, event="enqueued", state=State.WAITING, job=job)

    def _runs(self) -> Iterator[Event]:
        for a in self._ended.new():
            self._first((a.job_id, "ended"))
            seconds = (a.finished_at - a.started_at).total_seconds()
            error = f"  {a.error_class}: {a.message}" if a.message else ""
            detail = f"run {a.number}, {seconds:.3f} s{error}"
            yield Event(at=a.finished_at, event=a.outcome, state=a.job.state, job=a.job, detail=detail)

    def _lines(self) -> Iterator[Event]:
        for line in self._logged.new():
            yield Event(at=line.at, event="log", state=line.job.state, job=line.job, detail=line.line)

    def _started(self) -> Iterator[Event]:
        for job in self._running[:PAGE]:
            if self._first((job.id, job.runs)):
                at = job.started_at or job.created_at
                yield Event(at=at, event="started", state=job.state, job=job, detail=f"run {job.runs}")

    def _waits(self, since: datetime) -> Iterator[Event]:
        for job in self._waiting.filter(available_at__gt=since).order_by("-available_at")[:PAGE]:
            if self._first((job.id, job.available_at)):
                yield Event(at=job.available_at, event="waiting", state=job.state, job=job)

    def _cancels(self, since: datetime) -> Iterator[Event]:
        for job in self._cancelled.filter(finished_at__gt=since).order_by("-finished_at")[:PAGE]:
            # A run that was cancelled has told so itself.
            if self._first((job.id, job.finished_at)) and (job.id, "ended") not in self._told:
                at = job.finished_at or since
                yield Event(at=at, event="cancelled", state=job.state, job=job, detail=job.error)

    def _first(self, key: tuple[uuid.UUID, object]) -> bool:
        """Whether this is told for the first time."""
        known = key in self._told
        self._told[key] = time.monotonic()
        return not known

    def _forget(self) -> None:
        oldest = time.monotonic() - 2 * LOOKBACK
        self._told = {key: at for key, at in self._told.items() if at > oldest}
