"""Who wants no reminders, in the admin: looked at by whoever may view it, lifted with a permission and a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from jobs.admin.base import Page, ReadOnly, who
from notifications import unsubscribe
from notifications.admin_suppressions import LiftForm
from notifications.models import Subscriber


class Wants(admin.SimpleListFilter):
    """Whether they are sent reminders now."""

    title = "state"
    parameter_name = "wants"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "unsubscribed"), ("again", "lifted")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(unsubscribed_at__isnull=self.value() == "again") if self.value() else queryset


@admin.register(Subscriber)
class SubscriberAdmin(ReadOnly, Page):
    """People who unsubscribed from reminders. The tokens of their links are shown to nobody."""

    list_title = "People who unsubscribed from reminders"
    list_display = ("user", "unsubscribed_at", "lifted_at")
    list_select_related = ("user",)
    list_filter = (Wants, "unsubscribed_at")
    search_fields = ("user__email",)
    fields = ("user", "unsubscribed_at", "lifted_at", "lifted_by", "lifted_why")
    change_form_template = "admin/notifications/subscriber/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscriber]:
        """Not everybody who was ever reminded."""
        ever = Q(unsubscribed_at__isnull=False) | Q(lifted_at__isnull=False)
        found: QuerySet[Subscriber] = super().get_queryset(request)
        return found.filter(ever)

    def get_urls(self) -> list[URLPattern]:
        lift = path("<int:pk>/lift/", self.admin_site.admin_view(self.lift_view), name="notifications_subscriber_lift")
        return [lift, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = {"may_lift": self.may(request, "lift"), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def lift_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, then lift."""
        self.demand(request, "lift")
        row = self.get_queryset(request).select_related("user").filter(pk=pk).first()
        if row is None:
            return self.not_there(request, str(pk))
        back = reverse("admin:notifications_subscriber_change", args=[pk])
        form = LiftForm(request.POST or None)
        form.fields["reason"].help_text = "Kept for good, with your name. They have asked you for it, for instance."
        if request.method == "POST" and form.is_valid():
            self._lift(request, row, form.cleaned_data["reason"])
            return HttpResponseRedirect(back)
        context = self.page(request, title="Send reminders again", row=row, form=form, back=back)
        return TemplateResponse(request, "admin/notifications/subscriber/lift.html", context)

    def _lift(self, request: HttpRequest, row: Subscriber, why: str) -> None:
        try:
            with transaction.atomic():
                unsubscribe.lift(row.pk, by=who(request), why=why, now=timezone.now())
                said = f"reminders again: {why}"
                LogEntry.objects.log_actions(request.user.pk, [row], CHANGE, change_message=said)  # type: ignore[arg-type]
        except unsubscribe.CannotLift as refusal:
            self.message_user(request, str(refusal), messages.WARNING)
            return
        self.message_user(request, f"Reminders go to {row.user} again.", messages.SUCCESS)
