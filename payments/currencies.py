"""Currencies as Stripe counts them (docs.stripe.com/currencies); not every one as ISO 4217 does.

ISO's exponent is wrong for ISK and UGX, which Stripe takes in hundredths that are always 00.
"""

from __future__ import annotations

from django.conf import settings


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


ZERO_DECIMAL = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
THREE_DECIMAL = _codes("bhd jod kwd omr tnd")
WHOLE_UNITS = frozenset({"isk", "ugx"})
"""Sent times a hundred, and divisible by a hundred."""

WHOLE_PAYOUTS = WHOLE_UNITS | {"huf", "twd"}
"""Paid out to a bank in whole units only."""

TWO_DECIMAL = _codes(
    """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc
    cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs khr
    kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk
    php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx usd
    uyu uzs wst xcd xcg yer zar zmw
    """
)
KNOWN = ZERO_DECIMAL | TWO_DECIMAL | THREE_DECIMAL

MINIMUM_CHARGE = {"usd": 50, "eur": 50, "gbp": 30, "jpy": 50}
"""Minor units. Stripe judges it in the currency that is settled; other currencies have theirs refused by Stripe."""

MAXIMUM_CHARGE = 99_999_999
"""Minor units: eight digits (stripe 16.1, PaymentIntent.amount)."""


class UnknownCurrency(ValueError):
    """Not a currency of Stripe's, or none that this installation takes; the text says which there are."""


def exponent(currency: str) -> int:
    """How many decimals Stripe's minor unit has. Raises UnknownCurrency."""
    require_known(currency)
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


def step(currency: str) -> int:
    """Minor units that an amount must be divisible by: 10 with three decimals, 100 for ISK and UGX, else 1."""
    if exponent(currency) == 3:
        return 10
    return 100 if currency in WHOLE_UNITS else 1


def payout_step(currency: str) -> int:
    """Minor units that a payout to a bank must be divisible by."""
    return 100 if currency in WHOLE_PAYOUTS else step(currency)


def minimum_charge(currency: str) -> int:
    """The least that may be charged, in minor units."""
    return max(MINIMUM_CHARGE.get(currency, 1), step(currency))


def require_known(currency: object) -> None:
    """Raise UnknownCurrency unless it is one of Stripe's, written as Stripe writes it."""
    if not isinstance(currency, str):
        raise UnknownCurrency(f"A currency is a code such as 'usd', got {type(currency).__name__} {currency!r}.")
    if currency not in KNOWN:
        hint = " Write it in lower case." if currency.lower() in KNOWN else ""
        raise UnknownCurrency(f"Stripe knows no currency {currency[:20]!r}.{hint}")


def require_allowed(currency: object) -> None:
    """Raise UnknownCurrency unless new projects may be in it (PAYMENTS_CURRENCIES)."""
    require_known(currency)
    if currency not in settings.PAYMENTS_CURRENCIES:
        raise UnknownCurrency(f"{currency} is not taken here; choose one of {', '.join(settings.PAYMENTS_CURRENCIES)}.")
