"""Schedules: django-celery-beat's table, in our words. Its other admin pages (intervals, crontabs, clocks) stay."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_celery_beat import admin as theirs
from django_celery_beat.models import PeriodicTask, SolarSchedule

from jobs import schedules
from jobs.admin import schedule_clocks, words
from jobs.admin.base import Page
from jobs.admin.schedule_form import ScheduleForm
from jobs.admin.schedule_words import coming, last_jobs, trouble_of
from jobs.arguments import InvalidArguments
from jobs.database import now as database_now
from jobs.enqueue import InvalidOptions

assert theirs  # noqa: S101 - imported so that its pages are there to be replaced
assert schedule_clocks  # noqa: S101 - which replaces two of them
admin.site.unregister(PeriodicTask)
admin.site.unregister(SolarSchedule)  # the keeper refuses sunrises


class ScheduleList(ChangeList):
    """Its rows know the moment and their last job; one query for all."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        entries: list[Any] = list(self.result_list)
        now = database_now()
        last = last_jobs(entries)
        for entry in entries:
            entry.clock, entry.last_job = now, last.get(entry.pk, words.NOTHING)


@admin.register(PeriodicTask)
class ScheduleAdmin(Page):
    form = ScheduleForm
    list_title = "Schedules"
    list_display = ["name", "plainly", "status", "next", "result", "last_slot", "kind"]
    search_fields = ["name", "task", "description"]
    list_select_related = ["interval", "crontab", "clocked", "solar"]
    ordering = ["name"]
    list_per_page = 100
    actions = ["enable", "disable", "run"]
    fieldsets = [
        (None, {"fields": ["name", "task", "kwargs", "enabled", "description"]}),
        (
            "When: one of the three",
            {"fields": ["interval", "crontab", "clocked", "start_time", "expires", "one_off"]},
        ),
        ("Each job", {"fields": ["queue", "priority", "expire_seconds"]}),
    ]
    change_form_template = "admin/jobs/schedule/change_form.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ScheduleList

    # ------------------------------------------------------------ the list
    @admin.display(description="kind of job", ordering="task")
    def kind(self, entry: PeriodicTask) -> str:
        return str(entry.task)

    @admin.display(description="when")
    def plainly(self, entry: PeriodicTask) -> str:
        if entry.crontab:
            return str(entry.crontab.human_readable)
        if entry.clocked:
            return f"once, {words.exact(entry.clocked.clocked_time)}"
        return str(entry.interval or entry.solar or words.NOTHING)

    @admin.display(description="state")
    def status(self, entry: PeriodicTask) -> SafeString:
        if trouble := trouble_of(entry):
            return format_html("{}<br><small>{}</small>", words.badge("broken"), trouble)
        return words.badge("on" if entry.enabled else "off")

    @admin.display(description="last slot", ordering="last_run_at")
    def last_slot(self, entry: Any) -> SafeString | str:
        return words.when(entry.last_run_at, entry.clock)

    @admin.display(description="next")
    def next(self, entry: Any) -> SafeString | str:
        return coming(entry, entry.clock)

    @admin.display(description="last job")
    def result(self, entry: Any) -> SafeString | str:
        return entry.last_job

    # ------------------------------------------------------------ actions
    @admin.action(description="Switch on", permissions=["change"])
    def enable(self, request: HttpRequest, entries: Any) -> None:
        self._switch(request, entries, on=True)

    @admin.action(description="Switch off", permissions=["change"])
    def disable(self, request: HttpRequest, entries: Any) -> None:
        self._switch(request, entries, on=False)

    def _switch(self, request: HttpRequest, entries: Any, *, on: bool) -> None:
        for entry in entries:
            entry.enabled = on
            entry.save()  # moves date_changed, so that what passed while it was off is not made up for
        self.message_user(request, f"Switched {'on' if on else 'off'}: {len(entries)}.", messages.SUCCESS)

    @admin.action(description="Run now, once", permissions=["change"])
    def run(self, request: HttpRequest, entries: Any) -> None:
        for entry in entries:
            self._run(request, entry)

    def get_urls(self) -> list[Any]:
        own = path("<int:pk>/run/", self.admin_site.admin_view(self.run_view), name="jobs_schedule_run")
        return [own, *super().get_urls()]

    def run_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.demand(request, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        entry = self.get_object(request, str(pk))
        if entry is None:
            return self.not_there(request, str(pk))
        self._run(request, entry)
        return HttpResponseRedirect(reverse("admin:django_celery_beat_periodictask_change", args=[pk]))

    def _run(self, request: HttpRequest, entry: PeriodicTask) -> None:
        try:
            handle = schedules.run_now(entry)
        except (LookupError, InvalidArguments, InvalidOptions, ValueError) as refusal:
            self.message_user(request, f"{entry.name}: {refusal.args[0]}", messages.ERROR)
            return
        self.log_change(request, entry, "run by hand")
        link = reverse("admin:jobs_job_change", args=[handle.id])
        self.message_user(request, format_html('{}: <a href="{}">one job</a> was enqueued.', entry.name, link))

    # ------------------------------------------------------------ one
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A name stays: migrations know the entries that they made by it, and would make a renamed one again."""
        return ["name"] if obj else []

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        entry: PeriodicTask | None = kwargs.get("obj")
        if entry is not None:
            moment = database_now()
            context |= {
                "coming": coming(entry, moment),
                "last_slot": words.when(entry.last_run_at, moment),
                "last_job": last_jobs([entry]).get(entry.pk, words.NOTHING),
                "trouble": trouble_of(entry),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: PeriodicTask, form: Any, change: bool) -> None:
        """What a job cannot have is emptied: positional arguments, Celery's headers and routes."""
        if json.loads(obj.args or "[]"):
            self.message_user(request, f"Positional arguments were dropped: {obj.args}", messages.WARNING)
        obj.args, obj.headers, obj.exchange, obj.routing_key, obj.solar = "[]", "{}", None, None, None
        super().save_model(request, obj, form, change)
