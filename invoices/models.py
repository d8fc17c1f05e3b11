"""The rows: columns and constraints; no behaviour.

Written by services.py and consents.py. What an invoice says is frozen (migration 0002); its paper is lifecycle.py's.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from invoices.states import Category, Kind, Paper, State
from jobs.ids import uuid7


class Consent(models.Model):
    """A freelancer agreed that the platform issues invoices in their name (self-billing)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    wording = models.TextField(help_text="What they agreed to.")
    agreed_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        default_permissions = ["view"]
        constraints = [
            models.UniqueConstraint(
                name="consent_one_in_force", fields=["user"], condition=Q(withdrawn_at__isnull=True)
            ),
            models.CheckConstraint(
                name="consent_withdrawn_later",
                condition=Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=F("agreed_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"self-billing for {self.user_id}, agreed {self.agreed_at:%Y-%m-%d}"


class Series(models.Model):
    """How far an issuer's numbers of a year have been given out. Moves by one, in the transaction of the invoice."""

    issuer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: the platform.",
    )
    name = models.CharField(max_length=20)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(help_text="The number that was given out last.")

    class Meta:
        ordering = ("id",)
        default_permissions = ["view"]
        constraints = [
            models.UniqueConstraint(name="series_once", fields=["issuer", "name", "year"], nulls_distinct=False),
            models.CheckConstraint(name="series_name_set", condition=~Q(name="")),
            models.CheckConstraint(name="series_last", condition=Q(last__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.name}-{self.year}"


class Invoice(models.Model):
    """An invoice, or the credit note that takes one back. Amounts are minor units of `currency`, never negative."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=11, choices=Kind.choices)
    corrects = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="credit_notes", help_text="A credit note's invoice."
    )
    series = models.CharField(max_length=20)
    year = models.PositiveSmallIntegerField()
    sequence = models.PositiveIntegerField()
    number = models.CharField(max_length=40, help_text="As it is printed.")

    issuer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: the platform.",
    )
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    issuer_party = models.JSONField(help_text="Name, address and tax ids as they were.")
    recipient_party = models.JSONField(help_text="Name, address and tax ids as they were.")
    consent = models.ForeignKey(
        Consent,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="What a self-billed invoice rests on.",
    )

    currency = models.CharField(max_length=3, help_text="ISO 4217, such as EUR.")
    decimals = models.PositiveSmallIntegerField(help_text="Of the currency: its minor unit is 10^-decimals.")
    lines = models.JSONField(help_text="title, note, gross and net of each.")
    category = models.CharField(max_length=2, choices=Category.choices)
    rate_bps = models.PositiveIntegerField(help_text="Of the tax, in hundredths of a percent.")
    net = models.BigIntegerField()
    tax = models.BigIntegerField()
    rounding = models.SmallIntegerField(help_text="What net and tax lack to the total.")
    total = models.BigIntegerField(help_text="What was paid, or given back.")

    language = models.CharField(max_length=10)
    paper = models.CharField(max_length=6, choices=Paper.choices)
    payment_reference = models.CharField(max_length=255, help_text="What it is about, once per issuer.")
    project_ref = models.CharField(max_length=40, blank=True)
    project_title = models.CharField(max_length=200, blank=True)
    milestone_ref = models.CharField(max_length=40, blank=True)
    milestone_title = models.CharField(max_length=200, blank=True)
    supplied_on = models.DateField(help_text="When the work was delivered.")
    issued_at = models.DateTimeField(help_text="Its date is UTC's.")
    due_on = models.DateField()

    state = models.CharField(max_length=8, choices=State.choices, default=State.ISSUED)
    file = models.CharField(max_length=255, blank=True, help_text="Its PDF's name in the storage.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the PDF.")
    rendered_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="Why there is no PDF, or no XML inside of it.")

    class Meta:
        ordering = ("-issued_at", "-id")
        default_permissions = ["view"]
        permissions = [("render_invoice", "Can have an invoice drawn again")]
        constraints = [
            models.CheckConstraint(name="invoice_kind", condition=Q(kind__in=Kind.values)),
            models.CheckConstraint(name="invoice_category", condition=Q(category__in=Category.values)),
            models.CheckConstraint(name="invoice_paper", condition=Q(paper__in=Paper.values)),
            models.CheckConstraint(name="invoice_state", condition=Q(state__in=State.values)),
            models.CheckConstraint(
                name="invoice_corrects",
                condition=Q(kind=Kind.CREDIT_NOTE, corrects__isnull=False)
                | Q(kind=Kind.INVOICE, corrects__isnull=True),
            ),
            models.CheckConstraint(
                name="invoice_self_billed",
                condition=Q(issuer__isnull=True, consent__isnull=True) | Q(issuer__isnull=False, consent__isnull=False),
            ),
            models.CheckConstraint(name="invoice_currency", condition=Q(currency__regex=r"^[A-Z]{3}$")),
            models.CheckConstraint(name="invoice_decimals", condition=Q(decimals__lte=4)),
            models.CheckConstraint(
                name="invoice_sum",
                condition=Q(total__gt=0, net__gte=0, tax__gte=0, total=F("net") + F("tax") + F("rounding")),
            ),
            models.CheckConstraint(
                name="invoice_taxed", condition=Q(category=Category.STANDARD) | Q(rate_bps=0, tax=0, rounding=0)
            ),
            models.CheckConstraint(name="invoice_reference_set", condition=~Q(payment_reference="") & ~Q(number="")),
            models.CheckConstraint(
                name="invoice_rendered",
                condition=(Q(state=State.RENDERED, rendered_at__isnull=False) & ~Q(file="") & ~Q(sha256=""))
                | Q(state__in=[State.ISSUED, State.FAILED], rendered_at__isnull=True, file="", sha256=""),
            ),
            models.UniqueConstraint(
                name="invoice_number_once", fields=["issuer", "series", "year", "sequence"], nulls_distinct=False
            ),
            models.UniqueConstraint(
                name="invoice_reference_once", fields=["issuer", "payment_reference"], nulls_distinct=False
            ),
        ]
        indexes = [
            models.Index(name="invoice_newest", fields=["-issued_at", "-id"]),
            models.Index(name="invoice_number", fields=["number"]),
        ]

    def __str__(self) -> str:
        return self.number
