"""Stripe's events as they came: what failed comes first, and may be understood again."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin import words as job_words
from payments import tasks
from payments.admin import confirm, words
from payments.admin.filters import by
from payments.admin.lists import Rows
from payments.admin.operations import MOVE_MONEY
from payments.models import StripeEvent
from payments.models.inbox import EventState
from payments.plan import Step, Will

FAMILIES = (
    "payment_intent.", "charge.", "charge.dispute.", "transfer.", "payout.", "refund.", "account.", "capability.",
)  # fmt: skip


def again(event: StripeEvent) -> list[Step]:
    """What understanding an event once more does."""
    what = event.object_id or event.account or "its object"
    return [
        Step(Will.LOOKED_FOR, f"{what}, as it is at Stripe now; what the event said of it is not believed."),
        Step(Will.BOOKED, "What is news: operation, books and milestone are made to agree. What is known stays."),
        Step(Will.STAYS, "Nothing is sent."),
    ]


def against(event: StripeEvent) -> str:
    """Why it is not understood again; empty when it may be."""
    if event.state == EventState.FAILED:
        return ""
    return f"It is {event.state}; only a failed event is understood again."


class ByFamily(admin.SimpleListFilter):
    """By what an event is about."""

    title = "about"
    parameter_name = "about"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(family, family.rstrip(".").replace("_", " ").replace(".", " ")) for family in FAMILIES]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.value():
            return queryset
        found = queryset.filter(type__startswith=self.value())
        return found.exclude(type__startswith="charge.dispute.") if self.value() == "charge." else found


@admin.register(StripeEvent)
class StripeEventAdmin(Rows):
    change_form_template = "admin/payments/event.html"
    list_display = ["what", "status", "object", "where", "age"]
    list_display_links = ["what"]
    list_filter = [by("state", EventState), ByFamily]
    search_fields = ["pk"]
    search_help_text = "An event's id (evt_…), the id of what it is about (pi_, tr_, po_ …); written out."
    first = (Q(state=EventState.FAILED),)
    heavy = ("body",)
    fields = [
        "event_id", "type", "status", "error", "object", "where", "livemode", "job", "received_at", "handled_at",
        "said",
    ]  # fmt: skip

    @admin.display(description="event")
    def what(self, event: StripeEvent) -> SafeString:
        return format_html(
            '{}<small>{}</small><small class="trouble">{}</small>', event.type, event.event_id, event.error[:160]
        )

    @admin.display(description="state")
    def status(self, event: StripeEvent) -> SafeString:
        return words.badge(event.state)

    @admin.display(description="about")
    def object(self, event: StripeEvent) -> SafeString | str:
        return words.stripe(event.object_id)

    @admin.display(description="account")
    def where(self, event: StripeEvent) -> str:
        return event.account or "the platform's"

    @admin.display(description="job")
    def job(self, event: StripeEvent) -> SafeString | str:
        return words.link("job", event.job_id, "job") if event.job_id else words.NOTHING

    @admin.display(description="age")
    def age(self, event: Any) -> SafeString | str:
        return job_words.when(event.received_at, event.clock)

    @admin.display(description="what it said")
    def said(self, event: StripeEvent) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(event.body, indent=2, ensure_ascii=False))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.again_view)
        return [path("<int:pk>/again/", view, name="payments_stripeevent_again"), *super().get_urls()]

    def again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET says what would be done, POST writes the job that does it."""
        self.demand(request)
        if not request.user.has_perm(MOVE_MONEY):
            raise PermissionDenied
        event = self.get_object(request, str(pk))
        if event is None:
            return self.not_there(request, str(pk))
        form = confirm.ReasonForm(request.POST if request.method == "POST" else None)
        steps, refusal = again(event), against(event)
        if not refusal and request.method == "POST" and confirm.agreed(form, steps):
            return self._again(request, event, form.cleaned_data["reason"])
        return confirm.page(
            self, request, form, steps, title="Understand it again", about=str(event), refusal=refusal,
            back=reverse("admin:payments_stripeevent_change", args=[pk]),
            status=409 if refusal and request.method == "POST" else 200,
        )  # fmt: skip

    def _again(self, request: HttpRequest, event: StripeEvent, reason: str) -> HttpResponse:
        with transaction.atomic():
            job = tasks.enqueue_event(event)
            StripeEvent.objects.filter(pk=event.pk).update(job_id=job.id)
            confirm.note(request, event, f"again: {reason}")
        said = format_html("It is being understood again: {}.", words.link("job", job.id, "its job"))
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:payments_stripeevent_change", args=[event.pk]))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        event = kwargs.get("obj")
        if event is not None and event.state == EventState.FAILED and request.user.has_perm(MOVE_MONEY):
            context |= {"again_url": reverse("admin:payments_stripeevent_again", args=[event.pk])}
        return super().render_change_form(request, context, *args, **kwargs)
