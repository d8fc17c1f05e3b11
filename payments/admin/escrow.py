"""Projects, milestones and payout accounts: looked at, with links to what their money did."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin import words as job_words
from payments import ledger, timeline
from payments.admin import words
from payments.admin.filters import ByCurrency, by
from payments.admin.lists import Rows
from payments.ledger import accounts
from payments.models import Milestone, PayoutAccount, Project
from payments.models.account import PayoutStatus
from payments.states import MilestoneStatus

BY_ADDRESS = "A number, or the e-mail address of the client or freelancer; written out."


def _list(model: str, text: str, **filters: object) -> SafeString:
    """A link to a filtered list."""
    here = reverse(f"admin:payments_{model}_changelist")
    return format_html('<a href="{}?{}">{}</a>', here, urlencode(filters), text)


@admin.register(Project)
class ProjectAdmin(Rows):
    list_display = ["title", "client_link", "freelancer_link", "currency", "age"]
    list_filter = [ByCurrency]
    search_fields = ["pk"]
    search_help_text = BY_ADDRESS
    related = ("client", "freelancer")
    fields = ["title", "client_link", "freelancer_link", "currency", "milestones", "created_at"]

    @admin.display(description="client")
    def client_link(self, project: Project) -> SafeString | str:
        return words.person(project.client)

    @admin.display(description="freelancer")
    def freelancer_link(self, project: Project) -> SafeString | str:
        return words.person(project.freelancer)

    @admin.display(description="milestones")
    def milestones(self, project: Project) -> SafeString:
        return _list("milestone", "its milestones", project__id__exact=project.pk)

    @admin.display(description="age")
    def age(self, project: Any) -> SafeString | str:
        return job_words.when(project.created_at, project.clock)


@admin.register(Milestone)
class MilestoneAdmin(Rows):
    change_form_template = "admin/payments/milestone.html"
    list_display = ["what", "state", "amount_in_words", "client", "freelancer", "age"]
    list_display_links = ["what"]
    list_filter = [by("status", MilestoneStatus)]
    search_fields = ["pk"]
    search_help_text = BY_ADDRESS
    related = ("project__client", "project__freelancer")
    fields = [
        "title", "state", "amount_in_words", "in_escrow", "project_link", "client", "freelancer", "operations",
        "disputes", "created_at", "funded_at", "delivered_at",
    ]  # fmt: skip

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "project__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    @admin.display(description="milestone")
    def what(self, milestone: Milestone) -> SafeString:
        return format_html("{}<small>{}: {}</small>", milestone.title, milestone.pk, milestone.project.title)

    @admin.display(description="state")
    def state(self, milestone: Milestone) -> SafeString:
        if not milestone.resumes_as:
            return words.badge(milestone.status)
        return format_html("{} <small>otherwise {}</small>", words.badge(milestone.status), milestone.resumes_as)

    @admin.display(description="amount")
    def amount_in_words(self, milestone: Milestone) -> SafeString:
        shown = words.money(milestone.amount, milestone.project.currency)
        return format_html('<span class="number">{}</span>', shown)

    @admin.display(description="in escrow")
    def in_escrow(self, milestone: Milestone) -> str:
        currency = milestone.project.currency
        code = accounts.escrow(milestone.pk, currency).code
        kept, held = ledger.balance(code), ledger.held(code)
        return f"{words.money(kept, currency)}, of which {words.money(held, currency)} is on its way out"

    @admin.display(description="project")
    def project_link(self, milestone: Milestone) -> SafeString | str:
        return words.link("project", milestone.project_id, milestone.project.title)

    @admin.display(description="client")
    def client(self, milestone: Milestone) -> SafeString | str:
        return words.person(milestone.project.client)

    @admin.display(description="freelancer")
    def freelancer(self, milestone: Milestone) -> SafeString | str:
        return words.person(milestone.project.freelancer)

    @admin.display(description="operations")
    def operations(self, milestone: Milestone) -> SafeString:
        return _list("operation", "its operations", q=f"milestone:{milestone.pk}")

    @admin.display(description="disputes")
    def disputes(self, milestone: Milestone) -> SafeString:
        return _list("dispute", "its disputes", q=milestone.pk)

    @admin.display(description="age")
    def age(self, milestone: Any) -> SafeString | str:
        return job_words.when(milestone.created_at, milestone.clock)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        milestone = kwargs.get("obj")
        context |= {"lines": timeline.of(milestone, staff=True) if milestone else []}
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(PayoutAccount)
class PayoutAccountAdmin(Rows):
    list_display = ["stripe_account", "owner", "state", "transfers_enabled", "payouts_enabled", "checked"]
    list_filter = [by("status", PayoutStatus)]
    search_fields = ["pk"]
    search_help_text = "An account's id (acct_…), or the e-mail address of its owner; written out."
    related = ("user",)
    fields = [
        "at_stripe", "owner", "state", "transfers_enabled", "payouts_enabled", "capabilities", "books", "created_at",
        "checked",
    ]  # fmt: skip

    @admin.display(description="owner")
    def owner(self, account: PayoutAccount) -> SafeString | str:
        return words.person(account.user)

    @admin.display(description="state")
    def state(self, account: PayoutAccount) -> SafeString:
        return words.badge(account.status)

    @admin.display(description="at Stripe")
    def at_stripe(self, account: PayoutAccount) -> SafeString | str:
        return words.stripe(account.stripe_account)

    @admin.display(description="in the books")
    def books(self, account: PayoutAccount) -> SafeString:
        what_lies_there = _list("account", "what lies there", q=f"stripe:connected:{account.stripe_account}:")
        theirs = _list("account", "what is theirs", q=f"payable:freelancer:{account.user_id}:")
        return format_html("{} · {}", what_lies_there, theirs)

    @admin.display(description="checked")
    def checked(self, account: Any) -> SafeString | str:
        return job_words.when(account.checked_at, account.clock)
