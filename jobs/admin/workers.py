"""Workers: who lives, what each is doing."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from jobs.admin import words
from jobs.admin.base import Page, ReadOnly
from jobs.database import now as database_now
from jobs.models import Job, Worker
from jobs.states import State

SHOWN = 10
"""Current jobs of one worker that are named."""


class WorkerList(ChangeList):
    """Its rows know what they are doing; one query for all."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        attach(list(self.result_list))


def attach(workers: list[Any]) -> None:
    """Give each worker its `clock` and its `current` jobs."""
    now, running = database_now(), defaultdict(list)
    boots = [worker.pk for worker in workers]
    for job in Job.objects.filter(state=State.ACTIVE, worker__in=boots).only("pk", "kind", "worker", "started_at"):
        running[job.worker].append(job)
    for worker in workers:
        worker.clock, worker.current = now, running[worker.pk]


def standing(worker: Any) -> str:
    """alive, leaving, left, or gone (it stopped saying that it lives)."""
    if worker.stopped_at:
        return "left"
    if worker.seen_at < worker.clock - timedelta(seconds=settings.JOBS_LEASE):
        return "gone"
    return "leaving" if worker.stopping else "alive"


@admin.register(Worker)
class WorkerAdmin(ReadOnly, Page):
    list_display = ["status", "name", "serves", "concurrency", "version", "seen", "started", "doing"]
    list_display_links = ["name"]
    ordering = ["-seen_at"]
    sortable_by: ClassVar[list[str]] = []
    list_per_page = 50
    fields = [
        "status", "name", "host", "pid", "serves", "kinds", "concurrency", "version", "started", "seen", "stopped_at",
        "doing",
    ]  # fmt: skip

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WorkerList

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        worker = super().get_object(*args, **kwargs)
        if worker is not None:
            attach([worker])
        return worker

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    @admin.display(description="state")
    def status(self, worker: Any) -> SafeString:
        return words.badge(standing(worker))

    @admin.display(description="queues")
    def serves(self, worker: Any) -> str:
        return ", ".join(worker.queues)

    @admin.display(description="seen")
    def seen(self, worker: Any) -> SafeString | str:
        return words.when(worker.seen_at, worker.clock)

    @admin.display(description="started")
    def started(self, worker: Any) -> SafeString | str:
        return words.when(worker.started_at, worker.clock)

    @admin.display(description="doing")
    def doing(self, worker: Any) -> SafeString | str:
        """Its running jobs, as far as they fit a line."""
        if not worker.current:
            return words.NOTHING
        links = [(_url(job), job.kind, words.span(worker.clock - job.started_at)) for job in worker.current[:SHOWN]]
        more = len(worker.current) - len(links)
        text = format_html_join(", ", '<a href="{}">{}</a> for {}', links)
        return format_html("{} and {} more", text, more) if more else text


def _url(job: Job) -> str:
    return reverse("admin:jobs_job_change", args=[job.pk])
