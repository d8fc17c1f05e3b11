"""Queues: how each stands, why nothing runs, pause and resume. A row of the table is one owner's pause."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from jobs import limits, queues, selectors
from jobs.admin import words
from jobs.admin.base import Page, ReadOnly, who
from jobs.database import now as database_now
from jobs.models import QueueLimit, QueuePause
from jobs.standing import Standing, standings
from jobs.states import State

type Refused = dict[tuple[str, str], forms.Form]
"""What was refused, by queue and what was to be done."""
MAY_LIMIT = "jobs.change_queuelimit"
LONGEST = 60 * 24 * 30
"""Minutes of the longest pause that ends by itself."""


class LimitForm(forms.Form):
    """Limits by hand."""

    concurrency = forms.IntegerField(required=False, min_value=1, max_value=limits.MOST)
    rate = forms.CharField(required=False, max_length=20)

    def clean_rate(self) -> tuple[int, float] | None:
        """As a number and seconds."""
        try:
            return limits.read_rate(text) if (text := self.cleaned_data["rate"]) else None
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class PauseForm(forms.Form):
    """A pause by hand."""

    reason = forms.CharField(
        max_length=500,
        error_messages={"required": "A pause needs a reason: who finds the queue standing still will ask."},
    )
    minutes = forms.IntegerField(required=False, min_value=1, max_value=LONGEST)


@admin.register(QueuePause)
class QueuePauseAdmin(ReadOnly, Page):
    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<str:queue>/pause/", wrap(self.pause_view), name="jobs_queue_pause"),
            path("<str:queue>/resume/", wrap(self.resume_view), name="jobs_queue_resume"),
            path("<str:queue>/limit/", wrap(self.limit_view), name="jobs_queue_limit"),
            path("<str:queue>/unlimit/", wrap(self.unlimit_view), name="jobs_queue_unlimit"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self.demand(request)
        return self._draw(request)

    def pause_view(self, request: HttpRequest, queue: str) -> HttpResponse:
        self.demand(request, "add")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = PauseForm(request.POST)
        if not form.is_valid():
            return self._draw(request, status=400, refused={(queue, "pause"): form})
        minutes = form.cleaned_data["minutes"]
        until = database_now() + timedelta(minutes=minutes) if minutes else None
        try:
            queues.pause(queue, reason=form.cleaned_data["reason"], by=who(request), until=until)
        except queues.UnknownQueue as unknown:
            raise Http404(str(unknown)) from None
        self.message_user(request, f"{queue} is paused: what runs goes on, nothing new starts.", messages.SUCCESS)
        return self._back()

    def resume_view(self, request: HttpRequest, queue: str) -> HttpResponse:
        self.demand(request, "delete")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            lifted = queues.resume(queue)
        except queues.UnknownQueue as unknown:
            raise Http404(str(unknown)) from None
        text = f"The operators' pause of {queue} is lifted." if lifted else f"{queue} was not paused by operators."
        self.message_user(request, text, messages.SUCCESS if lifted else messages.WARNING)
        return self._back()

    def limit_view(self, request: HttpRequest, queue: str) -> HttpResponse:
        self._demand_limits(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = LimitForm(request.POST)
        if form.is_valid():
            rate, period = form.cleaned_data["rate"] or (None, None)
            try:
                concurrency = form.cleaned_data["concurrency"]
                found = limits.limit(queue, concurrency=concurrency, rate=rate, period=period, by=who(request))
            except queues.UnknownQueue as unknown:
                raise Http404(str(unknown)) from None
            except ValueError as error:
                form.add_error(None, str(error))
            else:
                self.message_user(request, f"{queue} runs {limits.words(found)}.", messages.SUCCESS)
                return self._back()
        return self._draw(request, status=400, refused={(queue, "limit"): form})

    def unlimit_view(self, request: HttpRequest, queue: str) -> HttpResponse:
        self._demand_limits(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            lifted = limits.lift(queue)
        except queues.UnknownQueue as unknown:
            raise Http404(str(unknown)) from None
        text = f"The limits of {queue} are lifted." if lifted else f"{queue} had no limits."
        self.message_user(request, text, messages.SUCCESS if lifted else messages.WARNING)
        return self._back()

    def _demand_limits(self, request: HttpRequest) -> None:
        self.demand(request)
        if not request.user.has_perm(MAY_LIMIT):
            raise PermissionDenied

    def _back(self) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:jobs_queuepause_changelist"))

    def _draw(self, request: HttpRequest, *, status: int = 200, refused: Refused | None = None) -> HttpResponse:
        now = database_now()
        age = selectors.keeper_age(now)
        context = self.page(
            request,
            title="Queues",
            lines=[_line(found, refused or {}) for found in standings(now)],
            keeper=None if age is None else words.span(age),
            keeper_silent=age is None or age > selectors.KEEPER_SILENT,
            may_pause=self.may(request, "add"),
            may_resume=self.may(request, "delete"),
            may_limit=request.user.has_perm(MAY_LIMIT),
        )
        return TemplateResponse(request, "admin/jobs/queuepause/change_list.html", context, status=status)


def _line(found: Standing, refused: Refused) -> dict[str, Any]:
    now = database_now()
    return {
        "queue": found.queue,
        "badge": words.badge("paused" if found.pauses else "open" if found.workers else "no worker"),
        "depth": [(state, number) for state, number in found.depth.items()],
        "oldest": words.span(found.oldest_due) if found.oldest_due is not None else words.NOTHING,
        "pauses": [
            (held, words.when(held.created_at, now), held.until and words.when(held.until, now))
            for held in found.pauses
        ],
        "held_by_operators": any(held.owner == queues.OPERATOR for held in found.pauses),
        "workers": [worker.name for worker in found.workers],
        "processes": found.processes,
        "why": found.why_still,
        "stuck": not found.workers or found.keeper_silent,
        "waiting": found.depth[State.WAITING],
        "form": refused.get((found.queue, "pause")),
        "limit": found.limit and limits.words(found.limit),
        "limit_form": refused.get((found.queue, "limit")) or LimitForm(initial=_initial(found.limit)),
        "limit_refused": (found.queue, "limit") in refused,
    }


def _initial(limit: QueueLimit | None) -> dict[str, Any]:
    if limit is None:
        return {}
    return {"concurrency": limit.concurrency, "rate": limit.rate and limits.write_rate(limit.rate, limit.period or 1)}
