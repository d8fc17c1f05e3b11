"""Intervals and crontabs that schedules share: django-celery-beat's own pages, with one thing put right."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django_celery_beat import admin as theirs
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from jobs.database import now as database_now

admin.site.unregister(IntervalSchedule)
admin.site.unregister(CrontabSchedule)


class Afresh:
    """Who changes a clock changes every schedule by it: they start afresh, as if each had been edited.

    Else one whose hour is moved back to this morning's would run at once.
    """

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)  # type: ignore[misc]
        if change:
            PeriodicTask.objects.filter(**{self.clock: obj}).update(date_changed=database_now())

    clock = ""
    """Which of a schedule's columns it is."""


@admin.register(IntervalSchedule)
class IntervalAdmin(Afresh, theirs.IntervalScheduleAdmin):
    clock = "interval"


@admin.register(CrontabSchedule)
class CrontabAdmin(Afresh, theirs.CrontabScheduleAdmin):
    clock = "crontab"
