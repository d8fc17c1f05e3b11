"""Jobs: found quickly among a million, looked at, moved by the lifecycle; never edited."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models.functions import Left, Now
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs import selectors
from jobs.admin import filters, job_page, words
from jobs.admin.actions import ReasonForm, confirm_cancel, move_many, note
from jobs.admin.base import Page, ReadOnly, who
from jobs.admin.moves import CANCEL, MOVES, PROMOTE, RETRY
from jobs.admin.paging import NewestFirst
from jobs.lifecycle import CannotMove
from jobs.models import Job
from jobs.search import HELP, search
from jobs.states import FINISHED, State

LINE = 120
"""Characters of an error that the list shows."""
HEAVY = ["options", "result", "progress", "sealed_args", "error", "trace", "unique_key", "concurrency_key"]


class JobList(ChangeList):
    """Selects only what a line shows."""

    def get_results(self, request: HttpRequest) -> None:
        """By their ids, which the paginator has read: a filter is not run twice."""
        super().get_results(request)
        shown = self.root_queryset.filter(pk__in=self.paginator.ids_of(self.page_num)).order_by("-pk")
        self.result_list = shown.defer(*HEAVY).annotate(error_line=Left("error", LINE), clock=Now())

    @property
    def older_url(self) -> str:
        """Where the jobs begin that no page leads to."""
        return self.get_query_string({"id__lt": str(self.paginator.older_than)})


@admin.register(Job)
class JobAdmin(ReadOnly, Page):
    list_display = ["status", "what", "about", "starts", "age", "took"]
    list_display_links = ["what"]
    list_filter = [filters.StateFilter, filters.QueueFilter, filters.KindFilter, filters.CreatedFilter]
    search_fields = ["pk"]  # jobs/search.py; this makes the box appear
    search_help_text = HELP
    ordering = ["-pk"]
    sortable_by: ClassVar[list[str]] = []
    paginator = NewestFirst
    list_per_page = 50
    list_max_show_all = 0
    actions = ["retry_jobs", "promote_jobs", "cancel_jobs"]

    # ------------------------------------------------------------ the list
    @admin.display(description="state")
    def status(self, job: Any) -> SafeString:
        return words.badge(job.state)

    @admin.display(description="job")
    def what(self, job: Any) -> SafeString:
        """Its own line, kind, queue and error. A `describe` that asks the database does so for 50 rows at most."""
        text, error = selectors.describe(job), (job.error_line.splitlines() or [""])[0]
        below = job.queue if text == job.kind else f"{job.kind} · {job.queue}"
        return format_html('{}<small>{}</small><small class="trouble">{}</small>', text, below, error)

    @admin.display(description="subject")
    def about(self, job: Any) -> str:
        return job.subject or words.NOTHING

    @admin.display(description="runs")
    def starts(self, job: Any) -> SafeString:
        return format_html('<span class="number">{} / {}</span>', job.runs, job.max_attempts)

    @admin.display(description="created")
    def age(self, job: Any) -> SafeString | str:
        return words.when(job.created_at, job.clock)

    @admin.display(description="took")
    def took(self, job: Any) -> str:
        """The latest run; from its start to the job's end, or until now."""
        end = job.finished_at if job.state in FINISHED else job.clock if job.state == State.ACTIVE else None
        return words.span(end - job.started_at) if end and job.started_at and end >= job.started_at else words.NOTHING

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return JobList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return search(queryset, search_term), False

    # ------------------------------------------------------------ moving many
    def has_retry_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "retry")

    def has_promote_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "promote")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "cancel")

    @admin.action(description="Retry the chosen jobs", permissions=["retry"])
    def retry_jobs(self, request: HttpRequest, jobs: Any) -> None:
        move_many(self, request, jobs, RETRY)

    @admin.action(description="Run the chosen delayed jobs now", permissions=["promote"])
    def promote_jobs(self, request: HttpRequest, jobs: Any) -> None:
        move_many(self, request, jobs, PROMOTE)

    @admin.action(description="Cancel the chosen jobs …", permissions=["cancel"])
    def cancel_jobs(self, request: HttpRequest, jobs: Any) -> HttpResponse | None:
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return confirm_cancel(self, request, jobs, form, action="cancel_jobs")
        move_many(self, request, jobs, CANCEL, reason=form.cleaned_data["reason"])
        return None

    # ------------------------------------------------------------ one job
    def get_urls(self) -> list[Any]:
        own = [
            path(
                f"<uuid:job_id>/{name}/",
                self.admin_site.admin_view(self.move_view),
                {"move": name},
                name=f"jobs_job_{name}",
            )
            for name in MOVES
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        self.demand(request)
        if request.method == "POST":
            raise PermissionDenied
        job = self.get_object(request, object_id)
        if job is None:
            return self.not_there(request, object_id)
        found = self.page(request, **job_page.context(self, request, job))
        return TemplateResponse(request, "admin/jobs/job/change_form.html", found)

    def move_view(self, request: HttpRequest, job_id: Any, move: str) -> HttpResponse:
        """Retry, promote or cancel one job."""
        self.demand(request, move)
        job, chosen = self.get_object(request, str(job_id)), MOVES[move]
        if job is None:
            return self.not_there(request, str(job_id))
        form = ReasonForm(request.POST or None)
        if request.method == "GET" and not chosen.reason:
            return HttpResponseNotAllowed(["POST"])
        if chosen.reason and not form.is_valid():
            return confirm_cancel(self, request, Job.objects.filter(pk=job.pk), form, job=job)
        self._move(request, job, chosen, form.cleaned_data["reason"] if chosen.reason else "")
        return HttpResponseRedirect(reverse("admin:jobs_job_change", args=[job.pk]))

    def _move(self, request: HttpRequest, job: Job, move: Any, reason: str) -> None:
        try:
            said = move.act(job.pk, who(request), reason)
        except (CannotMove, ValueError) as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return
        note(request, [job.pk], f"{move.name}{f': {reason}' if reason else ''}")
        self.message_user(request, f"The job was {said}.", messages.SUCCESS)
