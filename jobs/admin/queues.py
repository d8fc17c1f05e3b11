"""Queues: how each stands, why nothing runs, pause and resume. A row of the table is one owner's pause."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from jobs import queues, selectors
from jobs.admin import words
from jobs.admin.base import Page, ReadOnly, who
from jobs.database import now as database_now
from jobs.models import QueuePause
from jobs.standing import Standing, standings
from jobs.states import State

LONGEST = 60 * 24 * 30
"""Minutes of the longest pause that ends by itself."""


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
            return self._draw(request, status=400, refused={queue: form})
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

    def _back(self) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:jobs_queuepause_changelist"))

    def _draw(
        self, request: HttpRequest, *, status: int = 200, refused: dict[str, PauseForm] | None = None
    ) -> HttpResponse:
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
        )
        return TemplateResponse(request, "admin/jobs/queuepause/change_list.html", context, status=status)


def _line(found: Standing, refused: dict[str, PauseForm]) -> dict[str, Any]:
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
        "form": refused.get(found.queue),
    }
