"""What people get to see, as JSON. Amounts are minor units; beside the total stands how a person writes it."""
# ruff: noqa: N815 - the names are the JSON's

from __future__ import annotations

from typing import Any, cast

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from invoices import amounts
from invoices.models import Invoice
from invoices.states import Category, Kind, State
from invoices.visible import Person


class InvoiceLine(serializers.Serializer[Invoice]):
    """An invoice in a list."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    number = serializers.CharField()
    issuedAt = serializers.DateTimeField(source="issued_at")
    total = serializers.IntegerField(help_text="Minor units.")
    currency = serializers.CharField(help_text="ISO 4217.")
    totalText = serializers.SerializerMethodField(method_name="text_of_total")
    issuerName = serializers.SerializerMethodField(method_name="name_of_issuer")
    recipientName = serializers.SerializerMethodField(method_name="name_of_recipient")
    projectTitle = serializers.CharField(source="project_title")
    milestoneTitle = serializers.CharField(source="milestone_title")
    state = serializers.ChoiceField(choices=State.choices)
    pdf = serializers.SerializerMethodField(
        method_name="href_of_pdf", help_text="Where its PDF is; null: not drawn yet."
    )

    def text_of_total(self, invoice: Invoice) -> str:
        reader = cast(Person, self.context["caller"])
        return amounts.words(invoice.total, invoice.currency, invoice.decimals, reader.language)

    def name_of_issuer(self, invoice: Invoice) -> str:
        return str(invoice.issuer_party["company"] or invoice.issuer_party["name"])

    def name_of_recipient(self, invoice: Invoice) -> str:
        return str(invoice.recipient_party["company"] or invoice.recipient_party["name"])

    def href_of_pdf(self, invoice: Invoice) -> str | None:
        return reverse("invoice-pdf", args=[invoice.pk]) if invoice.state == State.RENDERED else None


class PartyAnswer(serializers.Serializer[Any]):
    """A party as it was."""

    name = serializers.CharField()
    company = serializers.CharField()
    addressLine1 = serializers.CharField(source="address_line1")
    addressLine2 = serializers.CharField(source="address_line2")
    postalCode = serializers.CharField(source="postal_code")
    city = serializers.CharField()
    country = serializers.CharField()
    taxId = serializers.CharField(source="tax_id")
    vatId = serializers.CharField(source="vat_id")


class ItemAnswer(serializers.Serializer[Any]):
    """One line of it."""

    title = serializers.CharField()
    note = serializers.CharField()
    gross = serializers.IntegerField(help_text="Minor units, the tax included.")
    net = serializers.IntegerField(help_text="Minor units, without the tax.")


class InvoiceAnswer(InvoiceLine):
    """A whole invoice."""

    issuer = PartyAnswer(source="issuer_party")
    recipient = PartyAnswer(source="recipient_party")
    lines = ItemAnswer(many=True)
    decimals = serializers.IntegerField(help_text="How many decimals the currency has.")
    vatCategory = serializers.ChoiceField(source="category", choices=Category.choices, help_text="By EN 16931.")
    vatRate = serializers.SerializerMethodField(method_name="rate_of_vat", help_text="Percent.")
    net = serializers.IntegerField()
    tax = serializers.IntegerField()
    rounding = serializers.IntegerField(help_text="What net and tax lack to the total.")
    suppliedOn = serializers.DateField(source="supplied_on")
    dueOn = serializers.DateField(source="due_on")
    paymentReference = serializers.CharField(source="payment_reference")
    projectRef = serializers.CharField(source="project_ref")
    milestoneRef = serializers.CharField(source="milestone_ref")
    corrects = serializers.UUIDField(source="corrects_id", allow_null=True, help_text="A credit note's invoice.")
    selfBilled = serializers.SerializerMethodField(method_name="is_self_billed")
    sha256 = serializers.CharField(help_text="Of the PDF.")

    def rate_of_vat(self, invoice: Invoice) -> str:
        return f"{invoice.rate_bps / 100:g}"

    @extend_schema_field(bool)
    def is_self_billed(self, invoice: Invoice) -> bool:
        return invoice.consent_id is not None


class Invoices(serializers.Serializer[Any]):
    """Newest first, and where the next page begins."""

    invoices = InvoiceLine(many=True)
    nextBefore = serializers.UUIDField(allow_null=True, help_text="Ask with ?before= this; null: that was all.")


class DrawnAgain(serializers.Serializer[Any]):
    """What happens next."""

    message = serializers.CharField()
    jobId = serializers.UUIDField()


class SelfBilling(serializers.Serializer[Any]):
    """Whether invoices are issued in my name, and what agreeing to that means."""

    agreedAt = serializers.DateTimeField(allow_null=True, help_text="null: not agreed, or withdrawn.")
    wording = serializers.CharField(help_text="What is agreed to, in my language.")
