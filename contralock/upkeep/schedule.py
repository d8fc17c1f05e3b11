"""When the upkeep runs: rows of django-celery-beat's, made once, then the operators' to edit."""

from __future__ import annotations

from typing import Any

from django_celery_beat.models import CrontabSchedule, PeriodicTask

ENTRIES = (
    ("Remove expired sessions and tokens, nightly", "upkeep.clean_stale_sessions", {"hour": "3", "minute": "10"}),
    ("Archive old data, nightly", "upkeep.archive_old_data", {"hour": "3", "minute": "30"}),
)
"""Name, kind, crontab in UTC."""
REPLACED = "jobs.retention"
"""Removes finished jobs without an archive: the archive's last step does it, so this one rests."""


def ensure(**signal: Any) -> None:
    """Make the entries that are missing, after a migration. To stop one, disable it: a deleted one is made again."""
    if "plan" not in signal:  # a flush of the tables (tests) sends the same signal without a plan
        return
    for name, kind, when in ENTRIES:
        if not PeriodicTask.objects.filter(name=name).exists():
            crontab, _ = CrontabSchedule.objects.get_or_create(**when, timezone="UTC")
            PeriodicTask.objects.create(name=name, task=kind, crontab=crontab)
            PeriodicTask.objects.filter(task=REPLACED).update(enabled=False)
