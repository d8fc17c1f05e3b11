"""Amounts as people and as machines write them (pure). All are minor units of a currency with `decimals` decimals."""

from __future__ import annotations

import copy
from decimal import Decimal

from babel import Locale
from babel.numbers import get_currency_symbol

ON_PAPER = 2
"""EN 16931 allows no more decimals in an amount."""


def step(decimals: int) -> int:
    """Minor units that every amount is divisible by: 10 with three decimals (as with Stripe), else 1."""
    return int(10 ** max(0, decimals - ON_PAPER))


def decimal(minor: int, decimals: int) -> Decimal:
    """In whole units, exact."""
    return Decimal(minor).scaleb(-decimals)


def plain(minor: int, decimals: int) -> str:
    """For machines: 1250.00, 1250 (yen), 1.25 (dinars)."""
    return f"{decimal(minor // step(decimals), min(decimals, ON_PAPER)):f}"


def words(minor: int, currency: str, decimals: int, language: str) -> str:
    """As a person writes it in `language` (en, de): $12.50, 12,50 €, ¥1,250, KWD 1.250."""
    locale = Locale.parse(language, sep="-")
    pattern = copy.copy(locale.currency_formats["standard"])
    pattern.frac_prec = (decimals, decimals)
    if get_currency_symbol(currency, locale)[-1:].isalpha():  # babel knows no pattern for those: KWD1.250
        pattern.prefix = tuple(f"{sign}\N{NO-BREAK SPACE}" if sign.endswith("¤") else sign for sign in pattern.prefix)
    return pattern.apply(decimal(minor, decimals), locale, currency=currency, currency_digits=False)


def percent(rate_bps: int, language: str) -> str:
    """19 %, 25.5 %."""
    locale = Locale.parse(language, sep="-")
    pattern = copy.copy(locale.percent_formats[None])
    pattern.frac_prec = (0, 2)
    return pattern.apply(Decimal(rate_bps) / 10_000, locale)
