"""The words of an invoice's life (pure).

    issued ──▶ rendered      the PDF is in the storage
      │ ▲          │
      ▼ │          ▼
    failed      rendered     drawn again, by staff

What an invoice says never changes (trigger invoice_frozen); `state` is only about its paper.
"""

from __future__ import annotations

from django.db import models


class Kind(models.TextChoices):
    """What the paper is."""

    INVOICE = "invoice", "Invoice"
    CREDIT_NOTE = "credit_note", "Credit note"  # takes all or a part of an invoice back


class State(models.TextChoices):
    """How far the paper is."""

    ISSUED = "issued", "Issued"
    RENDERED = "rendered", "Rendered"
    FAILED = "failed", "Failed"


class Category(models.TextChoices):
    """How VAT is treated, by EN 16931's codes (UNTDID 5305)."""

    STANDARD = "S", "Standard rate"
    REVERSE_CHARGE = "AE", "Reverse charge"
    NOT_SUBJECT = "O", "Not subject to VAT"


class Paper(models.TextChoices):
    """What it is printed on."""

    A4 = "A4", "A4"
    LETTER = "letter", "Letter"
