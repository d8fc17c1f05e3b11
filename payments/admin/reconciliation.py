"""What was compared with Stripe, and what was found; what is open comes first, and may be explained."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin import words as job_words
from jobs.database import now as database_now
from payments import reconcile
from payments.admin import confirm, words
from payments.admin.filters import by
from payments.admin.lists import Rows
from payments.models import Finding, Reconciliation
from payments.models.reconciliation import Bucket


class ExplanationForm(forms.Form):
    """Why it is as it is."""

    explanation = forms.CharField(
        max_length=2000, error_messages={"required": "Say in words why it is as it is: who looks later will ask."}
    )


class Open(admin.SimpleListFilter):
    """Whether somebody has to do something about it."""

    title = "state"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "open"), ("no", "closed")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(resolved_at__isnull=self.value() == "yes") if self.value() else queryset


class Clean(admin.SimpleListFilter):
    """How it ended."""

    title = "state"
    parameter_name = "ended"
    ways = {"clean": True, "not clean": False, "not finished": None}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(way, way) for way in self.ways]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        way = self.value()
        return queryset.filter(is_clean=self.ways[way]) if way in self.ways else queryset


@admin.register(Reconciliation)
class ReconciliationAdmin(Rows):
    list_display = ["number", "status", "age", "window", "counted", "findings"]
    list_display_links = ["number"]
    list_filter = [Clean]
    fields = ["number", "status", "started_at", "finished_at", "window", "full", "counted", "findings"]

    @admin.display(description="reconciliation")
    def number(self, run: Reconciliation) -> str:
        return f"{run.pk}{', whole' if run.full else ''}"

    @admin.display(description="state")
    def status(self, run: Reconciliation) -> SafeString:
        return words.badge(next(word for word, ended in Clean.ways.items() if ended is run.is_clean))

    @admin.display(description="since … until")
    def window(self, run: Reconciliation) -> str:
        return f"{run.window_start:%Y-%m-%d %H:%M} … {run.window_end:%Y-%m-%d %H:%M} UTC"

    @admin.display(description="counts")
    def counted(self, run: Reconciliation) -> str:
        return ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in run.counts.items() if n) or "nothing moved"

    @admin.display(description="findings")
    def findings(self, run: Reconciliation) -> SafeString:
        here = reverse("admin:payments_finding_changelist")
        return format_html('<a href="{}?reconciliation__id__exact={}">found first by it</a>', here, run.pk)

    @admin.display(description="age")
    def age(self, run: Any) -> SafeString | str:
        return job_words.when(run.started_at, run.clock)


@admin.register(Finding)
class FindingAdmin(Rows):
    change_form_template = "admin/payments/finding.html"
    list_display = ["what", "status", "bucket_in_words", "amount_in_words", "age"]
    list_display_links = ["what"]
    list_filter = [Open, by("bucket", Bucket)]
    search_fields = ["pk"]
    search_help_text = "What it is about, an id of Stripe's, or the id of an operation; written out."
    first = (Q(resolved_at__isnull=True),)
    related = ("operation",)
    fields = [
        "status", "explanation", "bucket_in_words", "amount_in_words", "about", "account", "at_stripe",
        "operation_link", "row", "reconciliation", "found_at", "resolved_at",
    ]  # fmt: skip

    @admin.display(description="finding")
    def what(self, finding: Finding) -> str:
        return finding.words

    @admin.display(description="state")
    def status(self, finding: Finding) -> SafeString:
        if finding.resolved_at is None:
            return words.badge("open")
        return words.badge("explained" if finding.explanation else "put right")

    @admin.display(description="kind")
    def bucket_in_words(self, finding: Finding) -> str:
        return finding.bucket.replace("_", " ")

    @admin.display(description="amount")
    def amount_in_words(self, finding: Finding) -> str:
        return words.money(finding.amount, finding.currency) if finding.currency else words.NOTHING

    @admin.display(description="at Stripe")
    def at_stripe(self, finding: Finding) -> SafeString | str:
        return words.stripe(finding.stripe_id)

    @admin.display(description="operation")
    def operation_link(self, finding: Finding) -> SafeString | str:
        found = finding.operation
        return words.link("operation", found.pk, found.kind) if found else words.NOTHING

    @admin.display(description="row of the books")
    def row(self, finding: Finding) -> SafeString | str:
        return words.link("transfer", finding.ledger_ref, finding.ledger_ref) if finding.ledger_ref else words.NOTHING

    @admin.display(description="age")
    def age(self, finding: Any) -> SafeString | str:
        return job_words.when(finding.found_at, finding.clock)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.explain_view)
        return [path("<int:pk>/explain/", view, name="payments_finding_explain"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        finding = kwargs.get("obj")
        if finding is not None and finding.resolved_at is None and self.may(request, "explain"):
            context |= {"explain_url": reverse("admin:payments_finding_explain", args=[finding.pk])}
        return super().render_change_form(request, context, *args, **kwargs)

    def explain_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A person says why something is as it is; it is not told again, and no money moves."""
        self.demand(request, "explain")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = ExplanationForm(request.POST)
        if not form.is_valid():
            self.message_user(request, str(form.errors["explanation"][0]), messages.ERROR)
        else:
            self._explain(request, pk, form.cleaned_data["explanation"])
        return HttpResponseRedirect(reverse("admin:payments_finding_change", args=[pk]))

    def _explain(self, request: HttpRequest, pk: int, explanation: str) -> None:
        try:
            with transaction.atomic():
                found = reconcile.explain(pk, explanation=explanation, now=database_now())
                confirm.note(request, found, f"explained: {explanation}")
        except (reconcile.NoSuchFinding, ValueError) as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, "It is explained, and will not be told again.", messages.SUCCESS)
