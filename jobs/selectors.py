"""Every read that people's views of the engine use: command line, admin, pages."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet

from jobs import effects, limits
from jobs.database import now as database_now
from jobs.kinds import REGISTRY
from jobs.maintenance.relay import known_kinds
from jobs.models import Job, Keeper, QueueLimit, QueuePause, Worker
from jobs.states import State

KEEPER_SILENT = timedelta(seconds=10)
"""Without a tick for this long, nobody keeps."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which jobs; an empty filter means all of them."""

    queue: str | None = None
    state: str | None = None
    kind: str | None = None
    subject: str | None = None

    def apply(self) -> QuerySet[Job]:
        """The matching jobs, newest first."""
        given = {name: value for name, value in vars(self).items() if value}
        return Job.objects.filter(**given).order_by("-id")

    @property
    def empty(self) -> bool:
        """Whether it names nothing."""
        return not any(vars(self).values())


def counts() -> dict[str, dict[str, int]]:
    """Jobs per queue and state; every queue of the settings and every state is named."""
    found: dict[str, dict[str, int]] = {q: dict.fromkeys(State, 0) for q in settings.JOBS_QUEUES}
    for queue, state, number in Job.objects.values_list("queue", "state").annotate(n=Count("id")).order_by():
        found.setdefault(queue, dict.fromkeys(State, 0))[state] = number
    return {queue: {str(state): n for state, n in states.items()} for queue, states in found.items()}


def oldest_due(now: datetime) -> dict[str, float]:
    """Per queue, for how many seconds the oldest job that could run has been due."""
    due = Job.objects.filter(state=State.WAITING).values_list("queue").annotate(at=Min("available_at")).order_by()
    return {queue: max(0.0, (now - at).total_seconds()) for queue, at in due}


def pauses(now: datetime) -> dict[str, list[QueuePause]]:
    """Pauses in force, per queue."""
    found: dict[str, list[QueuePause]] = {}
    for held in QueuePause.objects.filter(Q(until=None) | Q(until__gt=now)).order_by("created_at"):
        found.setdefault(held.queue, []).append(held)
    return found


def living_workers(now: datetime) -> QuerySet[Worker]:
    """Workers that were seen within a lease and have not left."""
    return Worker.objects.filter(stopped_at=None, seen_at__gt=now - timedelta(seconds=settings.JOBS_LEASE)).order_by(
        "name"
    )


def keeper_age(now: datetime) -> timedelta | None:
    """How long ago a keeper ticked; None if none ever did."""
    ticked = Keeper.objects.values_list("ticked_at", flat=True).first()
    return None if ticked is None else now - ticked


def get(job_id: str | uuid.UUID) -> Job:
    """One job. Raises LookupError in words."""
    try:
        return Job.objects.get(pk=uuid.UUID(str(job_id)))
    except ValueError:
        raise LookupError(f"{job_id!r} is not a job id (a UUID).") from None
    except Job.DoesNotExist:
        raise LookupError(
            f"there is no job {job_id}; finished jobs leave after their keeping (README, settings)."
        ) from None


def describe(job: Job) -> str:
    """One line for people, from the kind's `describe`; the kind's name where it has none or cannot say."""
    kind = REGISTRY.get(job.kind)
    if kind is None or kind.describe is None:
        return job.kind
    try:
        return kind.describe(**kind.arguments.load(job.args)) or job.kind
    except Exception:  # noqa: BLE001 - a view of a job never fails because of its text
        return job.kind


def why_not_running(job: Job, now: datetime) -> str:
    """Why a waiting or delayed job is not running; empty for any other."""
    if job.state == State.DELAYED:
        return f"not due before {job.available_at:%Y-%m-%d %H:%M:%S} UTC"
    if job.state != State.WAITING:
        return ""
    age = keeper_age(now)
    known = known_kinds(now).get(job.queue)
    reasons = [
        (
            bool(held := pauses(now).get(job.queue, [])),
            "; ".join(f"queue paused by {p.owner}: {p.reason}" for p in held),
        ),
        (known is None, f"no living worker serves queue {job.queue!r}"),
        (known is not None and job.kind not in known, f"no living worker knows kind {job.kind!r}"),
        (bool(held_back := _held_back(job.queue, now)), f"limit of queue {job.queue!r}: {held_back}"),
        (_key_taken(job), f"another job with key {job.concurrency_key!r} is running"),
        (job.published_at is None and (age is None or age > KEEPER_SILENT), "no keeper ticks: start celery beat"),
    ]
    return next((text for true, text in reasons if true), "waits for a free worker process")


def _held_back(queue: str, now: datetime) -> str:
    found = QueueLimit.objects.filter(queue=queue).first()
    return limits.why_held(found, now) if found else ""


def _key_taken(job: Job) -> bool:
    return (
        bool(job.concurrency_key)
        and Job.objects.filter(concurrency_key=job.concurrency_key, state=State.ACTIVE).exists()
    )


def summary(job: Job) -> dict[str, Any]:
    """A job as one row of a list; JSON-able."""
    return {
        "id": str(job.id),
        "kind": job.kind,
        "queue": job.queue,
        "state": job.state,
        "priority": job.priority,
        "runs": job.runs,
        "failures": job.failures,
        "crashes": job.crashes,
        "max_attempts": job.max_attempts,
        "subject": job.subject,
        "created_at": _iso(job.created_at),
        "available_at": _iso(job.available_at),
        "started_at": _iso(job.started_at),
        "finished_at": _iso(job.finished_at),
        "error": job.error,
    }


def details(job: Job) -> dict[str, Any]:
    """Everything about a job, its attempts, its effects and its log included; JSON-able."""
    now = database_now()
    return summary(job) | {
        "summary": describe(job),
        "args": job.args,
        "result": job.result,
        "progress": job.progress,
        "waits_because": why_not_running(job, now),
        "cancel_requested": job.cancel_requested,
        "tags": job.tags,
        "unique_key": job.unique_key,
        "concurrency_key": job.concurrency_key,
        "enqueued_by": job.enqueued_by,
        "options": job.options,
        "worker": _worker_name(job.worker),
        "lease_until": _iso(job.lease_until),
        "deadline": _iso(job.deadline),
        "expires_at": _iso(job.expires_at),
        "dispatch_no": job.dispatch_no,
        "published_at": _iso(job.published_at),
        "attempts": [
            {
                "number": a.number,
                "outcome": a.outcome,
                "worker": _worker_name(a.worker),
                "pid": a.worker_pid,
                "due_at": _iso(a.due_at),
                "started_at": _iso(a.started_at),
                "finished_at": _iso(a.finished_at),
                "seconds": round((a.finished_at - a.started_at).total_seconds(), 3),
                "error_class": a.error_class,
                "message": a.message,
                "traceback": a.traceback,
            }
            for a in job.attempts.order_by("number")
        ],
        "effects": [effects.as_json(touched) for touched in effects.of(job.id)],
        "log": [{"run": line.run, "at": _iso(line.at), "line": line.line} for line in job.log_lines.order_by("id")],
    }


def _worker_name(boot: uuid.UUID | None) -> str:
    if boot is None:
        return ""
    name = Worker.objects.filter(pk=boot).values_list("name", flat=True).first()
    return name or str(boot)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
