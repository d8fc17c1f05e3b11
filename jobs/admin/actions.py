"""Moving jobs from the list and from a job's own page; refusals are told in their own words."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from jobs.admin import bulk
from jobs.admin.base import Page, who
from jobs.admin.moves import CANCEL, Move
from jobs.admin.paging import LIMIT
from jobs.models import Job
from jobs.states import State


class ReasonForm(forms.Form):
    """Why; kept with the job."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.TextInput(attrs={"size": 60, "autofocus": True}),
        help_text="Kept with each job, for whoever asks later.",
        error_messages={"required": "Cancelling needs a reason."},
    )


def move_many(page: Page, request: HttpRequest, jobs: QuerySet[Job], move: Move, *, reason: str = "") -> None:
    """Move these jobs and say what came of it."""
    by, verb = who(request), f"{move.name}{f': {reason}' if reason else ''}"
    tally = bulk.each(
        jobs,
        lambda job_id: move.act(job_id, by, reason),
        record=lambda moved: note(request, moved, verb),
    )
    for said, number in tally.done.items():
        page.message_user(request, f"{number} {'job' if number == 1 else 'jobs'} {said}.", messages.SUCCESS)
    for text in tally.refusals:
        page.message_user(request, text, messages.WARNING)
    if more := tally.refused - len(tally.refusals):
        page.message_user(request, f"{more} more were refused for reasons like these.", messages.WARNING)
    if tally.stopped:
        text = f"Stopped after {bulk.PATIENCE:.0f} s, and more are left: run the action again to go on."
        page.message_user(request, text, messages.WARNING)


def note(request: HttpRequest, ids: list[uuid.UUID], verb: str) -> None:
    """Keep in the admin's history who moved which job."""
    moved = Job.objects.only("pk", "kind").filter(pk__in=ids)
    LogEntry.objects.log_actions(request.user.pk, moved, CHANGE, change_message=verb)  # type: ignore[arg-type]


def confirm_cancel(
    page: Page, request: HttpRequest, jobs: QuerySet[Job], form: ReasonForm, **context: Any
) -> TemplateResponse:
    """The page that says what cancelling these jobs does, and asks why."""
    states = list(jobs.order_by("-pk").values_list("state", flat=True)[: LIMIT + 1])
    return TemplateResponse(
        request,
        "admin/jobs/job/cancel.html",
        page.page(
            request,
            title="Cancel jobs" if len(states) != 1 else "Cancel job",
            form=form,
            total=f"more than {LIMIT}" if len(states) > LIMIT else len(states),
            consequences=[] if len(states) > LIMIT else list(_consequences(states)),
            selected=request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
            across=request.POST.get("select_across", "0"),
            **context,
        ),
    )


def _consequences(states: Iterable[str]) -> Iterable[str]:
    found = Counter(states)
    for state in State:
        number = found[state]
        if not number:
            continue
        if state is State.ACTIVE:
            yield f"{number} active: asked to stop at the next checkpoint; what it has done stays done."
        elif state in CANCEL.from_states:
            yield f"{number} {state}: cancelled at once, never started unless somebody retries it."
        else:
            yield f"{number} {state}: refused, stays as it is."
