"""Suppressed addresses in the admin: looked at by whoever may view them, lifted with a permission and a reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from jobs.admin.base import Page, ReadOnly, who
from notifications import suppression
from notifications.models import Message, Suppression


class LiftForm(forms.Form):
    """Why mails are to go there again."""

    reason = forms.CharField(
        max_length=500,
        label="Why?",
        widget=forms.TextInput(attrs={"size": 60, "autofocus": True}),
        help_text="Kept for good, with your name. Its owner has told you that the mailbox works, for instance.",
        error_messages={"required": "Say why: others will ask."},
    )


class Standing(admin.SimpleListFilter):
    """Whether mails are held back now."""

    title = "state"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "suppressed"), ("no", "lifted")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(lifted_at__isnull=self.value() == "yes") if self.value() else queryset


@admin.register(Suppression)
class SuppressionAdmin(ReadOnly, Page):
    """Which addresses take no mail, and in whose words."""

    list_title = "Suppressed addresses"
    list_display = ("address", "reason", "words", "since", "lifted_at")
    list_filter = (Standing, "reason", "since")
    search_fields = ("address", "message_key")
    fields = ("address", "reason", "words", "message", "since", "lifted_at", "lifted_by", "lifted_why")
    readonly_fields = ("message",)
    change_form_template = "admin/notifications/suppression/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        lift = path("<int:pk>/lift/", self.admin_site.admin_view(self.lift_view), name="notifications_suppression_lift")
        return [lift, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = {"may_lift": self.may(request, "lift"), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def lift_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, then lift."""
        self.demand(request, "lift")
        row = Suppression.objects.filter(pk=pk).first()
        if row is None:
            return self.not_there(request, str(pk))
        back = reverse("admin:notifications_suppression_change", args=[pk])
        form = LiftForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            self._lift(request, row, form.cleaned_data["reason"])
            return HttpResponseRedirect(back)
        context = self.page(request, title="Lift this suppression", row=row, form=form, back=back)
        return TemplateResponse(request, "admin/notifications/suppression/lift.html", context)

    def _lift(self, request: HttpRequest, row: Suppression, why: str) -> None:
        try:
            with transaction.atomic():
                suppression.lift(row.pk, by=who(request), why=why, now=timezone.now())
                said = f"lifted: {why}"
                LogEntry.objects.log_actions(request.user.pk, [row], CHANGE, change_message=said)  # type: ignore[arg-type]
        except suppression.CannotLift as refusal:
            self.message_user(request, str(refusal), messages.WARNING)
            return
        text = f"Mails go to {row.address} again. Those that failed meanwhile are sent when their jobs are retried."
        self.message_user(request, text, messages.SUCCESS)

    @admin.display(description="message")
    def message(self, row: Suppression) -> str:
        """The mail that was refused, as long as it is here."""
        found = Message.objects.filter(key=row.message_key).values_list("pk", flat=True).first()
        if found is None:
            return row.message_key or "–"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:notifications_message_change", args=[found]), row.message_key
        )
