"""Invoices in the admin: to be looked at, downloaded and drawn again, never edited."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from invoices import amounts, services, shelf
from invoices.api.views import as_download
from invoices.models import Consent, Invoice
from invoices.parties import Party

if TYPE_CHECKING:  # generic in django-stubs only
    BaseAdmin = admin.ModelAdmin[Any]
else:
    BaseAdmin = admin.ModelAdmin


class ReadOnly(BaseAdmin):
    """What was issued or agreed to is kept as it is."""

    show_full_result_count = False  # counting a large table on every visit takes seconds
    show_facets = admin.ShowFacets.NEVER

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows are written by services."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The database would refuse it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The law would have it back."""
        return False


@admin.register(Invoice)
class InvoiceAdmin(ReadOnly):
    """Every invoice and credit note, with its paper."""

    list_display = ("number", "paper_link", "amount", "issuer_name", "recipient_name", "day", "state", "kind")
    list_filter = ("kind", "state", "category", "issued_at")
    search_fields = ("number", "payment_reference", "issuer__email", "recipient__email", "=milestone_ref")
    list_select_related = ("corrects",)
    ordering = ("-issued_at", "-id")
    actions = ("draw_again",)
    fieldsets = (
        (None, {"fields": ("number", "kind", "corrects", "state", "error", "paper_link", "sha256", "rendered_at")}),
        ("Parties", {"fields": ("issuer_words", "recipient_words", "consent")}),
        ("Money", {"fields": ("amount", "lines_words", "sums", "category")}),
        (
            "About",
            {"fields": ("payment_reference", "project_title", "project_ref", "milestone_title", "milestone_ref")},
        ),
        ("Dates", {"fields": ("issued_at", "supplied_on", "due_on", "language", "paper")}),
    )
    readonly_fields = ("issuer_words", "recipient_words", "amount", "lines_words", "sums", "paper_link")

    def get_urls(self) -> list[Any]:
        """The PDF beside the pages of Django's."""
        own = path("<uuid:invoice_id>/pdf", self.admin_site.admin_view(self.pdf), name="invoices_invoice_pdf")
        return [own, *super().get_urls()]

    def pdf(self, request: HttpRequest, invoice_id: uuid.UUID) -> HttpResponse:
        """Download it. 404 with a sentence while there is no paper."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return as_download(Invoice.objects.get(pk=invoice_id))
        except Invoice.DoesNotExist:
            raise Http404("There is no such invoice.") from None
        except shelf.NotOnTheShelf as error:
            raise Http404(str(error)) from None

    @admin.action(description="Draw again", permissions=["render"])
    def draw_again(self, request: HttpRequest, chosen: QuerySet[Invoice]) -> None:
        """A job each; what would come out the same is left as it is."""
        for invoice in chosen:
            services.render_again(invoice)
        self.message_user(request, f"Jobs that draw an invoice again: {len(chosen)}.", messages.SUCCESS)

    def has_render_permission(self, request: HttpRequest) -> bool:
        """Who may have them drawn again."""
        return request.user.has_perm("invoices.render_invoice")

    @admin.display(description="total", ordering="total")
    def amount(self, invoice: Invoice) -> str:
        """As a person writes it."""
        return amounts.words(invoice.total, invoice.currency, invoice.decimals, "en")

    @admin.display(description="of which")
    def sums(self, invoice: Invoice) -> str:
        """Net, tax and what they lack."""
        net, tax, rounding = (
            amounts.words(minor, invoice.currency, invoice.decimals, "en")
            for minor in (invoice.net, invoice.tax, invoice.rounding)
        )
        return f"net {net}, VAT of {amounts.percent(invoice.rate_bps, 'en')} {tax}, rounding {rounding}"

    @admin.display(description="issued", ordering="issued_at")
    def day(self, invoice: Invoice) -> str:
        """Without the hour."""
        return f"{invoice.issued_at:%Y-%m-%d}"

    @admin.display(description="issuer")
    def issuer_name(self, invoice: Invoice) -> str:
        """As it was."""
        return Party.from_json(invoice.issuer_party).title

    @admin.display(description="recipient")
    def recipient_name(self, invoice: Invoice) -> str:
        """As it was."""
        return Party.from_json(invoice.recipient_party).title

    @admin.display(description="issuer")
    def issuer_words(self, invoice: Invoice) -> SafeString:
        """Name, address and ids."""
        return _words(invoice.issuer_party)

    @admin.display(description="recipient")
    def recipient_words(self, invoice: Invoice) -> SafeString:
        """Name, address and ids."""
        return _words(invoice.recipient_party)

    @admin.display(description="lines (with tax)")
    def lines_words(self, invoice: Invoice) -> SafeString:
        """What was paid for."""
        rows = (
            (line["title"], amounts.words(line["gross"], invoice.currency, invoice.decimals, "en"))
            for line in invoice.lines
        )
        return format_html_join("", "<p>{}: {}</p>", rows)

    @admin.display(description="paper")
    def paper_link(self, invoice: Invoice) -> SafeString | str:
        """To the PDF."""
        if not invoice.file:
            return "not drawn"
        return format_html('<a href="{}">PDF</a>', reverse("admin:invoices_invoice_pdf", args=[invoice.pk]))


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    """Who agreed to self-billing, and when."""

    list_display = ("user", "agreed_at", "withdrawn_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)


def _words(stored: dict[str, Any]) -> SafeString:
    party = Party.from_json(stored)
    said = (
        party.title, party.name if party.company else "", party.address_line1, party.address_line2, party.place,
        party.country, party.vat_id and f"VAT id {party.vat_id}", party.tax_id and f"Tax no. {party.tax_id}",
        party.email, party.identifier,
    )  # fmt: skip
    return format_html_join("", "<p>{}</p>", ((line,) for line in said if line))
