"""What a job's own page shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from jobs import effects, selectors
from jobs.admin import words
from jobs.admin.base import Page
from jobs.admin.moves import MOVES, refusal
from jobs.admin.timeline import WIDTH, timeline
from jobs.database import now as database_now
from jobs.models import Attempt, Job, Worker

SIBLINGS = 10
LINES = 500


def context(page: Page, request: HttpRequest, job: Job) -> dict[str, Any]:
    """Everything about one job."""
    now = database_now()
    attempts = list(job.attempts.order_by("number"))
    lines = list(job.log_lines.order_by("-id")[: LINES + 1])
    return {
        "job": job,
        "original": job,
        "title": selectors.describe(job),
        "badge": words.badge(job.state),
        "why": selectors.why_not_running(job, now),
        "buttons": _buttons(page, request, job, attempts),
        "facts": [(name, value) for name, value in _facts(request, job, now) if value not in (None, "", [], {})],
        "runs": [(run, words.badge(run.outcome), _lengths(run)) for run in timeline(job, attempts, now)],
        "timeline_width": WIDTH,
        "workers": dict(Worker.objects.filter(pk__in={a.worker for a in attempts}).values_list("pk", "name")),
        "effects": effects.of(job.pk),
        "log": lines[:LINES][::-1],
        "log_cut": len(lines) > LINES,
        "json": [(name, _pretty(value)) for name, value in _values(job) if value not in (None, {})],
        "sealed": job.sealed_args is not None,
        "siblings": _siblings(job),
        "schedule": _schedule(request, job),
        "history_url": reverse("admin:jobs_job_history", args=[job.pk]),
    }


def _buttons(page: Page, request: HttpRequest, job: Job, attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    return [
        {
            "move": move,
            "url": reverse(f"admin:jobs_job_{move.name}", args=[job.pk]),
            "refusal": refusal(move, job, attempts)
            if page.may(request, move.name)
            else f"You lack the permission to {move.name} jobs.",
        }
        for move in MOVES.values()
    ]


def _facts(request: HttpRequest, job: Job, now: datetime) -> list[tuple[str, Any]]:
    worker = Worker.objects.filter(pk=job.worker).first() if job.worker else None
    return [
        ("kind", job.kind),
        ("queue", f"{job.queue}, priority {job.priority}"),
        ("subject", job.subject),
        ("tags", ", ".join(job.tags)),
        ("runs", f"{job.runs} ({job.failures} of {job.max_attempts} failures, {job.crashes} crashes)"),
        ("created", words.when(job.created_at, now)),
        ("due", words.when(job.available_at, now)),
        ("started", job.started_at and words.when(job.started_at, now)),
        ("finished", job.finished_at and words.when(job.finished_at, now)),
        ("expires", job.expires_at and words.when(job.expires_at, now)),
        ("deadline", job.deadline and words.when(job.deadline, now)),
        ("worker", worker.name if worker else job.worker),
        ("cancel", "asked to stop at its next checkpoint" if job.cancel_requested else ""),
        ("enqueued by", job.enqueued_by),
        ("unique key", job.unique_key),
        ("concurrency key", job.concurrency_key),
        ("trace", job.trace),
    ]


def _values(job: Job) -> list[tuple[str, Any]]:
    return [
        ("Arguments", job.args),
        ("Result", job.result),
        ("Progress", job.progress),
        ("Options as given", job.options),
    ]


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _lengths(run: Any) -> list[tuple[str, str]]:
    return [(bar.what, words.span(bar.length)) for bar in run.bars]


def _siblings(job: Job) -> list[tuple[Job, Any]]:
    if not job.subject:
        return []
    found = Job.objects.filter(subject=job.subject).exclude(pk=job.pk).only("pk", "kind", "state").order_by("-pk")
    return [(other, words.badge(other.state)) for other in found[:SIBLINGS]]


def _schedule(request: HttpRequest, job: Job) -> PeriodicTask | None:
    if job.schedule_id is None or not request.user.has_perm("django_celery_beat.view_periodictask"):
        return None
    return PeriodicTask.objects.filter(pk=job.schedule_id).first()
