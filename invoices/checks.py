"""Settings without which invoices are not what the law wants them to be: `manage.py check`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name

from invoices.parties import Party
from invoices.tax import RATES


def settings_fit(**_: Any) -> list[CheckMessage]:
    """The platform's own name and address, and the rates that override ours."""
    found: list[CheckMessage] = []
    platform = Party(**settings.INVOICE_PLATFORM)
    missing = [name for name in ("address_line1", "city", "country") if not getattr(platform, name)]
    if missing:
        found.append(
            Warning(
                f"Invoices of the platform lack its {', '.join(missing)}.",
                hint="Set PLATFORM_NAME, PLATFORM_ADDRESS, PLATFORM_POSTAL_CODE, PLATFORM_CITY, PLATFORM_COUNTRY.",
                id="invoices.W001",
            )
        )
    odd = [country for country in settings.INVOICE_VAT_RATES if country not in RATES]
    if odd:
        found.append(
            Error(
                f"INVOICE_VAT_RATES names {', '.join(odd)}, where no VAT of the EU is charged.",
                hint=f"Countries: {', '.join(RATES)}.",
                id="invoices.E001",
            )
        )
    return found
