"""A job as BullMQ's `job.toJSON()` shows it (https://api.docs.bullmq.io/classes/v5.Job.html), field by field.

What BullMQ leaves undefined, and so out of its JSON, is left out here too. Times are milliseconds since 1970.
docs: README, "The API of the queues".
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from jobs.kinds import REGISTRY
from jobs.models import Attempt, Job
from jobs.outcomes import Outcome
from jobs.states import State

COUNTED = (Outcome.FAILED, Outcome.COMPLETED, Outcome.SKIPPED, Outcome.UNKNOWN)
"""Runs that BullMQ would count in attemptsMade; snoozes, releases and crashes it does not."""


def as_bullmq(job: Job) -> dict[str, Any]:
    """The job, with what a person may see of its arguments."""
    attempts = list(job.attempts.order_by("number"))
    found: dict[str, Any] = {
        "id": str(job.id),
        "name": job.kind,
        "data": job.args,
        "opts": _options(job),
        "progress": 0 if job.progress is None else job.progress,
        "attemptsMade": sum(1 for attempt in attempts if attempt.outcome in COUNTED),
        "timestamp": _ms(job.created_at),
        "stacktrace": [attempt.traceback for attempt in attempts if attempt.traceback],
        "returnvalue": job.result,
    }
    if job.finished_at is not None:
        found["finishedOn"] = _ms(job.finished_at)
    if job.started_at is not None:
        found["processedOn"] = _ms(job.started_at)
    if job.state in (State.FAILED, State.UNKNOWN, State.CANCELLED) or _failed_last(attempts):
        found["failedReason"] = job.error
    return found


def _options(job: Job) -> dict[str, Any]:
    """The engine's own words in BullMQ's names; `attempts` counts the first run, as BullMQ's does."""
    kind = REGISTRY.get(job.kind)
    found: dict[str, Any] = {
        "attempts": job.max_attempts,
        "delay": max(0, _ms(job.available_at) - _ms(job.created_at)) if job.state == State.DELAYED else 0,
        "priority": job.priority,
    }
    if kind is not None:
        found["backoff"] = {"type": "exponential", "delay": round(kind.backoff * 1000)}
    return found


def _failed_last(attempts: list[Attempt]) -> bool:
    return bool(attempts) and attempts[-1].outcome == Outcome.FAILED


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
