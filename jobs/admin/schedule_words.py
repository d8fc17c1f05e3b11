"""How a schedule stands, in words: when it comes, what came of it, why it cannot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_celery_beat.models import PeriodicTask

from jobs import schedules
from jobs.admin import words
from jobs.arguments import InvalidArguments
from jobs.database import rows
from jobs.kinds import kind_of

_LAST_JOBS = """
SELECT s, j.id, j.state FROM unnest(%s::bigint[]) s, LATERAL (SELECT id, state FROM jobs_job
    WHERE schedule_id = s AND slot IS NOT NULL ORDER BY slot DESC LIMIT 1) j
"""


def trouble_of(entry: PeriodicTask) -> str:
    """Why the keeper will not enqueue this one, in words; empty if it will."""
    try:
        if entry.solar:
            return "only interval, crontab and clocked schedules can be kept"
        if json.loads(entry.args or "[]"):
            return "a job takes keyword arguments only"
        kind_of(entry.task).arguments.dump_json(json.loads(entry.kwargs or "{}"))
    except (LookupError, InvalidArguments, ValueError) as refusal:
        return str(refusal.args[0])
    return ""


def coming(entry: PeriodicTask, now: datetime) -> SafeString | str:
    """When it fires next."""
    if trouble_of(entry):
        return words.NOTHING
    moment = schedules.next_run(entry, now)
    return "due now" if moment is not None and moment <= now else words.when(moment, now)


def last_jobs(entries: Sequence[PeriodicTask]) -> dict[int, SafeString]:
    """The job of each entry's latest slot: its state, with a link. One query for all; by the entry's id."""
    return {
        schedule: format_html('<a href="{}">{}</a>', reverse("admin:jobs_job_change", args=[job]), words.badge(state))
        for schedule, job, state in rows(_LAST_JOBS, [[entry.pk for entry in entries]])
    }
