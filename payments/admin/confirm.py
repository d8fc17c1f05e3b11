"""The page between a button and what it does: what will be skipped, what sent, and why somebody wants it.

What is done must be what was read: the form carries a mark of the plan that it showed, and when the plan is another one
by the time it comes back, the page is shown again instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest
from django.template.response import TemplateResponse

from jobs import selectors
from jobs.admin.base import Page
from jobs.database import now as database_now
from payments.plan import Step, Will
from payments.recovery import QUEUE

CHANGED = "It has changed since you opened this page. Read again what will be done now."
SIGNS = {
    Will.SKIPPED: ("⊘", "cancelled"),
    Will.DROPPED: ("⊘", "cancelled"),
    Will.SENT: ("➤", "failed"),
    Will.LOOKED_FOR: ("◎", "active"),
    Will.BOOKED: ("✎", "completed"),
    Will.WAITS: ("◷", "delayed"),
    Will.STAYS: ("○", "waiting"),
}
"""Sign and colour of each part of a plan; what leaves the house is the loudest."""


class ReasonForm(forms.Form):
    """Why; kept for good."""

    reason = forms.CharField(
        max_length=500,
        label="Why?",
        widget=forms.TextInput(attrs={"size": 60, "autofocus": True}),
        help_text="Kept for good with what it is about, and with your name.",
        error_messages={"required": "Say why: others will ask."},
    )
    mark = forms.CharField(widget=forms.HiddenInput, required=False)


class LookForm(ReasonForm):
    """Why, and where."""

    stripe_id = forms.CharField(
        required=False,
        max_length=255,
        label="Its id at Stripe, if you have seen it there",
        help_text="Only when Stripe's lists do not show it yet. It is taken only if it names this operation.",
    )


def mark(steps: Sequence[Step]) -> str:
    """A mark of a plan: another plan has another."""
    return hashlib.sha256("\n".join(f"{step.will} {step.words}" for step in steps).encode()).hexdigest()[:32]


def agreed(form: ReasonForm, steps: Sequence[Step]) -> bool:
    """Whether the form is filled in, and of this plan; says on the form what is wrong otherwise."""
    if not form.is_valid():
        return False
    if form.cleaned_data["mark"] != mark(steps):
        form.add_error(None, CHANGED)
        return False
    return True


def lines(steps: Sequence[Step]) -> list[dict[str, str]]:
    """A plan for the template."""
    return [
        {"will": step.will.value, "sign": SIGNS[step.will][0], "colour": SIGNS[step.will][1], "words": step.words}
        for step in steps
    ]


def paused() -> str:
    """Why nothing is sent for the time being, in words; empty when payments go on."""
    held = selectors.pauses(database_now()).get(QUEUE, [])
    why = "; ".join(f"{pause.owner}: {pause.reason}" for pause in held)
    return f"The queue {QUEUE} is paused, so nothing is sent before it is resumed ({why})." if held else ""


def page(
    admin: Page, request: HttpRequest, form: ReasonForm, steps: Sequence[Step], *, status: int = 200, **context: Any
) -> TemplateResponse:
    """The page itself; `title`, `about`, `back`, `button`, `refusal` and `danger` say what it is about."""
    waits = paused() if any(step.will is Will.SENT for step in steps) else ""
    found = admin.page(request, form=form, steps=lines(steps), mark=mark(steps), paused=waits, **context)
    return TemplateResponse(request, "admin/payments/confirm.html", found, status=status)


def note(request: HttpRequest, row: Any, said: str) -> None:
    """Keep in the admin's history who did what, and why."""
    LogEntry.objects.log_actions(request.user.pk, [row], CHANGE, change_message=said)  # type: ignore[arg-type]
