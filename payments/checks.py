"""System checks: settings with which money would be counted wrongly."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error

from payments import currencies
from payments.fees import WHOLE


def settings_fit(**_: Any) -> list[Error]:
    """A fee that takes everything or less than nothing, and currencies that Stripe does not know."""
    found = []
    if not 0 <= settings.PLATFORM_FEE_BPS < WHOLE:
        found.append(
            Error(
                f"PLATFORM_FEE_BPS is {settings.PLATFORM_FEE_BPS}: it is a part of a release.",
                hint="In hundredths of a percent, from 0 to 9999; 500 is 5 %.",
                id="payments.E001",
            )
        )
    odd = [code for code in settings.PAYMENTS_CURRENCIES if code not in currencies.KNOWN]
    if odd or not settings.PAYMENTS_CURRENCIES:
        found.append(
            Error(
                f"PAYMENTS_CURRENCIES has {', '.join(odd) or 'nothing'}.",
                hint="Name currencies as Stripe does, in lower case: usd,eur.",
                id="payments.E002",
            )
        )
    return found
