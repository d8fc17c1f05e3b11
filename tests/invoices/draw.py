"""Draws an invoice in a process of its own: JSON of consent and invoice on stdin, the PDF's SHA-256 on stdout.

python -m tests.invoices.draw
"""

from __future__ import annotations

import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contralock.settings")
    django.setup()
    from django.core import serializers

    from invoices import document, shelf
    from invoices.models import Consent, Invoice

    consent, invoice = (found.object for found in serializers.deserialize("json", sys.stdin.read()))
    assert isinstance(invoice, Invoice)
    assert isinstance(consent, Consent)
    invoice.consent = consent
    print(shelf.digest(document.draw(invoice).pdf))


if __name__ == "__main__":
    main()
