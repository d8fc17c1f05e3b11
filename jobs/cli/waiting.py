"""wait: stay until jobs are finished, and say how they ended."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from jobs.cli.output import Output, Refused
from jobs.cli.selection import one
from jobs.models import Job
from jobs.states import FINISHED, State

SETTLED = FINISHED | {State.UNKNOWN}
"""Where nothing happens any more without a person."""
FIRST_LOOK, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between two looks; they grow from the one to the other."""

sleep = time.sleep


def wait(options: dict[str, Any], out: Output) -> None:
    """Wait for jobs by id."""
    wait_for([one(job_id).id for job_id in options["id"]], options, out)


def wait_for(ids: Sequence[uuid.UUID], options: dict[str, Any], out: Output, *, told: Any = None) -> None:
    """Return when all are completed; raise Refused, with a sentence each, for those that are not.

    `told` is put into the JSON in front of the jobs.
    """
    found = _watch(ids, timeout=options["timeout"], bar=out.terminal and not options["json"])
    jobs = [found.get(job_id) for job_id in ids]
    if options["json"]:
        shown = [_as_json(job_id, job) for job_id, job in zip(ids, jobs, strict=True)]
        out.json(shown if told is None else told | {"jobs": shown})
    bad = [text for i, job in zip(ids, jobs, strict=True) if (text := _complaint(i, job, options["timeout"]))]
    if bad:
        raise Refused("\n".join(bad))
    if not options["json"]:
        out.say("completed" if len(ids) == 1 else f"all {len(ids)} completed")


def _watch(ids: Sequence[uuid.UUID], *, timeout: float | None, bar: bool) -> dict[uuid.UUID, Job]:
    """The jobs as they were when they settled, or when time was up. A job that is gone is left out."""
    end = None if timeout is None else time.monotonic() + timeout
    found: dict[uuid.UUID, Job] = {}
    left, pause = set(ids), FIRST_LOOK
    with _progress(bar) as progress:
        task = progress.add_task("waiting", total=len(left))
        while True:
            seen = Job.objects.only("state", "error", "result").in_bulk(sorted(left))
            found = {job_id: job for job_id, job in found.items() if job_id not in left} | seen
            left = {job_id for job_id, job in seen.items() if job.state not in SETTLED}
            progress.update(task, completed=len(set(ids)) - len(left))
            if not left or (end is not None and time.monotonic() >= end):
                return found
            sleep(pause if end is None else max(0.0, min(pause, end - time.monotonic())))
            pause = min(pause * 1.5, LONGEST_PAUSE)


def _progress(shown: bool) -> Progress:
    """On stderr, so that stdout holds the answer only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not (shown and sys.stderr.isatty()))


def _as_json(job_id: uuid.UUID, job: Job | None) -> dict[str, Any]:
    if job is None:
        return {"id": str(job_id), "state": None}
    return {"id": str(job_id), "state": job.state, "result": job.result, "error": job.error}


def _complaint(job_id: uuid.UUID, job: Job | None, timeout: float | None) -> str:
    """What is not as it should be; empty for a completed job."""
    if job is None:
        return f"Job {job_id} is not there any more; finished jobs leave after their keeping."
    match job.state:
        case State.COMPLETED:
            return ""
        case State.FAILED | State.CANCELLED:
            return f"Job {job_id} is {job.state}: {job.error}"
        case State.UNKNOWN:
            return f"Job {job_id} is unknown: {job.error}. A person or a resolver has to decide."
    return f"Job {job_id} is still {job.state} after {timeout:g} s; see: manage.py jobs show {job_id}"
