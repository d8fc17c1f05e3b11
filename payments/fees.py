"""What the platform keeps of a release."""

from __future__ import annotations

from django.conf import settings

from payments import currencies
from payments.money import Money

WHOLE = 10_000
"""Basis points: all of it."""


def split(gross: Money) -> tuple[Money, Money]:
    """The platform's fee (PLATFORM_FEE_BPS) and what the freelancer gets; together they are `gross`.

    The fee is rounded down to what the currency can express: a fraction of a cent stays the freelancer's.
    """
    step = currencies.step(gross.currency)
    fee = Money(gross.minor * settings.PLATFORM_FEE_BPS // (WHOLE * step) * step, gross.currency)
    return fee, gross - fee


def share(part: int, *, whole: int, fee: int, step: int) -> int:
    """The platform's part of the first `part` of a release of `whole` that is taken back (all in minor units).

    Counted from the start and rounded down: what one taking-back returns is the difference of two shares, so
    that together they return no more than the fee, and all of it when everything is back.
    """
    return fee * part // (whole * step) * step
