"""When the payments' regular jobs run: rows of django-celery-beat's, made once, then the operators' to edit."""

from __future__ import annotations

import json
from typing import Any

from django_celery_beat.models import IntervalSchedule, PeriodicTask

ENTRIES: tuple[tuple[str, str, int, str, dict[str, Any]], ...] = (
    ("Compare the books with Stripe, hourly", "payments.reconcile", 1, IntervalSchedule.HOURS, {"hours": 2}),
    (
        "Compare the books with Stripe, daily and whole",
        "payments.reconcile",
        1,
        IntervalSchedule.DAYS,
        {"hours": 48, "events": True},
    ),
    ("Remind people of what waits for them", "payments.send_reminders", 1, IntervalSchedule.HOURS, {}),
    ("Look for payments in doubt", "payments.resolve_unknown", 10, IntervalSchedule.MINUTES, {}),
)
"""Name, kind, every how many, of what, arguments."""


def ensure(**signal: Any) -> None:
    """Make the entries that are missing. To stop one, disable it: a deleted one is made again by the next migration.

    Called after migrations; a flush of the tables (which tests do) sends the same signal without a plan.
    """
    if "plan" not in signal:
        return
    for name, kind, every, period, arguments in ENTRIES:
        if not PeriodicTask.objects.filter(name=name).exists():
            interval, _ = IntervalSchedule.objects.get_or_create(every=every, period=period)
            PeriodicTask.objects.create(name=name, task=kind, interval=interval, kwargs=json.dumps(arguments))
