"""Disputes: open ones first. Ours are decided here, with a reason; a bank's are answered at Stripe."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin import words as job_words
from payments import dispute_plan, services
from payments.admin import confirm, words
from payments.admin.filters import by
from payments.admin.lists import Rows
from payments.admin.operations import MOVE_MONEY
from payments.models import Dispute
from payments.refusals import Refused
from payments.states import DisputeStatus, Resolution

LABELS = {
    Resolution.RELEASE: ("Release to the freelancer …", "Pays the freelancer all that is left."),
    Resolution.REFUND: ("Refund the client …", "Gives the client all of it back, also what was released."),
    Resolution.DISMISS: ("Dismiss …", "As if it had not been: what was under way goes on."),
}


class DecisionForm(confirm.ReasonForm):
    """Why; both parties may read it."""

    reason = forms.CharField(
        max_length=2000,
        label="Why?",
        widget=forms.TextInput(attrs={"size": 60, "autofocus": True}),
        help_text="Kept for good with the dispute. Client and freelancer read it in the milestone's timeline.",
        error_messages={"required": "Say why: both parties will ask."},
    )


def against(dispute: Dispute) -> str:
    """Why our staff do not decide it; empty when they may."""
    if dispute.stripe_id:
        return "This dispute is decided by the client's bank. Answer it at Stripe."
    if dispute.status != DisputeStatus.OPEN:
        return f"It is {dispute.status} already."
    return ""


@admin.register(Dispute)
class DisputeAdmin(Rows):
    change_form_template = "admin/payments/dispute.html"
    list_display = ["what", "state", "milestone_link", "opener", "age"]
    list_display_links = ["what"]
    list_filter = [by("status", DisputeStatus), by("resolution", Resolution)]
    search_fields = ["pk"]
    search_help_text = "The number of a milestone, or Stripe's id (dp_…); written out."
    first = (Q(status=DisputeStatus.OPEN),)
    related = ("milestone__project__client", "milestone__project__freelancer", "opened_by", "resolved_by")
    fields = [
        "state", "reason", "milestone_link", "client", "freelancer", "opener", "at_stripe", "opened_at", "closed_at",
        "resolution", "resolution_reason", "decider",
    ]  # fmt: skip

    @admin.display(description="dispute")
    def what(self, dispute: Dispute) -> SafeString:
        decided = dispute.resolution and f"{dispute.resolution}: {dispute.resolution_reason[:120]}"
        return format_html("{}<small>{}</small>", dispute.reason[:160], decided)

    @admin.display(description="state")
    def state(self, dispute: Dispute) -> SafeString:
        return words.badge(dispute.status)

    @admin.display(description="milestone")
    def milestone_link(self, dispute: Dispute) -> SafeString | str:
        amount = words.money(dispute.milestone.amount, dispute.milestone.project.currency)
        return words.link("milestone", dispute.milestone_id, f"{dispute.milestone_id}: {amount}")

    @admin.display(description="client")
    def client(self, dispute: Dispute) -> SafeString | str:
        return words.person(dispute.milestone.project.client)

    @admin.display(description="freelancer")
    def freelancer(self, dispute: Dispute) -> SafeString | str:
        return words.person(dispute.milestone.project.freelancer)

    @admin.display(description="opened by")
    def opener(self, dispute: Dispute) -> SafeString | str:
        return words.person(dispute.opened_by) if dispute.opened_by else "the client's bank"

    @admin.display(description="decided by")
    def decider(self, dispute: Dispute) -> SafeString | str:
        return words.person(dispute.resolved_by)

    @admin.display(description="at Stripe")
    def at_stripe(self, dispute: Dispute) -> SafeString | str:
        return words.stripe(dispute.stripe_id)

    @admin.display(description="age")
    def age(self, dispute: Any) -> SafeString | str:
        return job_words.when(dispute.opened_at, dispute.clock)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.decide_view)
        own = [
            path(f"<int:pk>/{name}/", view, {"resolution": name}, name=f"payments_dispute_{name}")
            for name in Resolution.values
        ]
        return [*own, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        dispute = kwargs.get("obj")
        if dispute is not None:
            may = request.user.has_perm(MOVE_MONEY)
            refusal = against(dispute) if may else "You lack the permission to move money (payments.move_money)."
            context |= {
                "buttons": [
                    {
                        "label": label,
                        "effect": refusal or effect,
                        "disabled": bool(refusal),
                        "url": reverse(f"admin:payments_dispute_{name}", args=[dispute.pk]),
                    }
                    for name, (label, effect) in LABELS.items()
                ]
                if dispute.status == DisputeStatus.OPEN
                else []
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def decide_view(self, request: HttpRequest, pk: int, resolution: str) -> HttpResponse:
        """GET says what would be done, POST decides, if that is still what would be done."""
        self.demand(request)
        if not request.user.has_perm(MOVE_MONEY):
            raise PermissionDenied
        dispute = self.get_object(request, str(pk))
        if dispute is None:
            return self.not_there(request, str(pk))
        form = DecisionForm(request.POST if request.method == "POST" else None)
        decision, refusal = Resolution(resolution), against(dispute)
        steps = dispute_plan.deciding(dispute_plan.read(dispute), decision)
        if not refusal and request.method == "POST" and confirm.agreed(form, steps):
            return self._decide(request, dispute, decision, form.cleaned_data["reason"])
        return confirm.page(
            self, request, form, steps, title=LABELS[decision][0].removesuffix(" …"), about=dispute.reason,
            back=self._url(dispute), refusal=refusal, danger=decision != Resolution.DISMISS,
            status=409 if refusal and request.method == "POST" else 200,
        )  # fmt: skip

    def _decide(self, request: HttpRequest, dispute: Dispute, decision: Resolution, reason: str) -> HttpResponse:
        try:
            with transaction.atomic():
                _, operation = services.resolve_dispute(
                    dispute.pk, by=request.user, resolution=decision, reason=reason  # type: ignore[arg-type]
                )  # fmt: skip
                confirm.note(request, dispute, f"{decision}: {reason}")
        except Refused as refusal:
            self.message_user(request, refusal.sentence, messages.ERROR)
        else:
            link = words.link("operation", operation.pk, words.what(operation)) if operation else "nothing is sent"
            self.message_user(request, format_html("Decided as {}: {}.", decision, link), messages.SUCCESS)
        return HttpResponseRedirect(self._url(dispute))

    def _url(self, dispute: Dispute) -> str:
        return reverse("admin:payments_dispute_change", args=[dispute.pk])
