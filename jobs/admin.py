"""A plain list of jobs for staff. Read-only: rows move by the lifecycle only."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from jobs.models import Attempt, Job, JobLog, QueuePause, Worker


class ReadOnly:
    """Nobody adds, edits or deletes here."""

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        return False


class AttemptInline(ReadOnly, admin.TabularInline):
    model = Attempt
    fields = ["number", "outcome", "started_at", "finished_at", "error_class", "message"]
    ordering = ["number"]


class JobLogInline(ReadOnly, admin.TabularInline):
    model = JobLog
    fields = ["run", "at", "line"]
    ordering = ["id"]


@admin.register(Job)
class JobAdmin(ReadOnly, admin.ModelAdmin):
    list_display = [
        "id",
        "kind",
        "queue",
        "state",
        "subject",
        "runs",
        "failures",
        "crashes",
        "created_at",
        "error_line",
    ]
    list_filter = ["state", "queue"]
    search_fields = ["id__exact", "kind__exact", "subject__exact"]
    search_help_text = "Id, kind or subject, written out."
    ordering = ["-id"]
    show_full_result_count = False
    list_per_page = 50
    inlines = [AttemptInline, JobLogInline]

    @admin.display(description="error")
    def error_line(self, job: Job) -> str:
        return job.error.splitlines()[0][:80] if job.error else ""

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """An id is looked up as such only if it is one: UUID columns refuse other text."""
        search_term = search_term.strip()
        try:
            uuid.UUID(search_term)
        except ValueError:
            return queryset.filter(kind=search_term) | queryset.filter(
                subject=search_term
            ) if search_term else queryset, False
        return queryset.filter(pk=search_term), False


@admin.register(QueuePause)
class QueuePauseAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["queue", "owner", "reason", "by", "until", "created_at"]


@admin.register(Worker)
class WorkerAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["name", "queues", "concurrency", "version", "started_at", "seen_at", "stopping", "stopped_at"]
    ordering = ["-seen_at"]
