"""A job through every queue, right now."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings

from jobs import broker, lifecycle, selectors
from jobs.database import now
from jobs.doctor.findings import Finding, fail, ok, warn
from jobs.lifecycle import CannotMove
from jobs.models import Job
from jobs.states import FINISHED, State
from jobs.tasks import canary
from jobs.version import VERSION

CHECK = "round trip"
PAUSE = 0.02
"""Seconds between two looks."""
MARGIN = 30.0
"""Seconds a canary may outlive the look for it. It expires only for a doctor that was killed: one that lives takes
it back, and must not be told "expired" when it meant "not run"."""


def check(*, timeout: float) -> Iterator[Finding]:
    """Send a canary through each queue that is open and served, all at once."""
    moment = now()
    held = selectors.pauses(moment)
    served = {queue for w in selectors.living_workers(moment) for queue in w.queues}
    for queue in settings.JOBS_QUEUES:
        if queue in held:
            yield warn(CHECK, f"{queue}: none, the queue is paused", todo="Resume it to know whether it works.")
        elif queue not in served:
            yield warn(CHECK, f"{queue}: none, nobody works there", todo="See workers, above.")
    sent = {queue: _send(queue, timeout) for queue in settings.JOBS_QUEUES if queue not in held and queue in served}
    try:
        back = _wait(list(sent.values()), timeout)
    finally:
        _take_back(list(sent.values()))
    for queue, job_id in sent.items():
        yield _returned(queue, back[job_id]) if job_id in back else _missing(queue, timeout)


def _send(queue: str, timeout: float) -> uuid.UUID:
    handle = canary.apply_async(kwargs={}, queue=queue, priority=0, expires=timeout + MARGIN, subject="doctor")
    return handle.id


def _wait(ids: Sequence[uuid.UUID], timeout: float) -> dict[uuid.UUID, Job]:
    end = time.monotonic() + timeout
    while True:
        back = Job.objects.filter(state__in=FINISHED).in_bulk(ids)
        if len(back) == len(ids) or time.monotonic() > end:
            return back
        time.sleep(PAUSE)


def _take_back(ids: Sequence[uuid.UUID]) -> None:
    """Nobody shall run them when nobody looks any more."""
    for job_id in Job.objects.filter(id__in=ids, state=State.WAITING).values_list("id", flat=True):
        with suppress(CannotMove):
            lifecycle.cancel(job_id, reason="the doctor has stopped waiting")


def _returned(queue: str, job: Job) -> Finding:
    if job.state != State.COMPLETED:
        return fail(CHECK, f"{queue}: the canary is {job.state}", why=job.error, todo=f"manage.py jobs show {job.id}")
    assert job.finished_at is not None  # noqa: S101 - a constraint of the table
    took = (job.finished_at - job.created_at).total_seconds() * 1000
    said: dict[str, Any] = job.result or {}
    text = f"{queue}: {took:.0f} ms, by {said.get('worker') or 'a worker'}, version {said.get('version')}"
    if said.get("version") != VERSION:
        return fail(CHECK, f"{text}; here it is {VERSION}", todo="Restart that worker with this build.")
    return ok(CHECK, text)


def _missing(queue: str, timeout: float) -> Finding:
    """The canary did not come back: why?"""
    moment = now()
    serving = [w for w in selectors.living_workers(moment) if queue in w.queues]
    busy = Job.objects.filter(state=State.ACTIVE, worker__in=[w.pk for w in serving]).count()
    names = ", ".join(w.name for w in serving)
    text = f"{queue}: the canary was not run within {timeout:g} s"
    if not serving:
        return fail(CHECK, text, why="Its worker has just fallen silent.", todo="Start it again.")
    if busy >= sum(w.concurrency for w in serving):
        todo = "Wait, or start more workers."
        return warn(CHECK, text, why=f"All {busy} processes of {names} are busy with other jobs.", todo=todo)
    if broker.depths([queue])[queue]:
        why = f"Its doorbell lies in Redis and {names} does not fetch it: deaf or frozen."
        return fail(CHECK, text, why=why, todo=f"Restart {names}.")
    why = f"{names} took its doorbell and did not run it: frozen, or it does not know the kind jobs.canary."
    return fail(CHECK, text, why=why, todo=f"Look at the log of {names}; restart it.")
