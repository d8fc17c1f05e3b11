"""Currencies and the amounts Stripe takes in them (docs.stripe.com/currencies). All amounts in minor units."""

from __future__ import annotations

from payments.sandbox.errors import Refusal, invalid
from payments.sandbox.params import Params

ZERO_DECIMAL = frozenset({
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf",
})  # fmt: skip
ZERO_DECIMAL_TIMES_100 = frozenset({"isk", "ugx"})  # sent as if they had two decimals; those must be 00
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})  # the last digit must be 0
PAYOUT_IN_HUNDREDS = frozenset({"huf", "twd"})  # payouts only
TWO_DECIMAL = frozenset({
    "usd", "eur", "gbp", "aed", "aud", "bgn", "brl", "cad", "chf", "cny", "czk", "dkk", "hkd", "huf", "idr", "ils",
    "inr", "mxn", "myr", "nok", "nzd", "php", "pln", "ron", "sar", "sek", "sgd", "thb", "try", "twd", "uah", "zar",
})  # fmt: skip
ALL = ZERO_DECIMAL | ZERO_DECIMAL_TIMES_100 | THREE_DECIMAL | TWO_DECIMAL
# docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
MINIMUM_CHARGE = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50,
    "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
MAXIMUM = 99_999_999


def currency(params: Params) -> str:
    """The call's currency, in lower case as Stripe stores it. Raises Refusal."""
    value = params.required("currency").lower()
    if value not in ALL:
        known = ", ".join(sorted(ALL))
        raise invalid(f"Invalid currency: {value}. Stripe currently supports these currencies: {known}", "currency")
    return value


def check_form(amount: int, code: str) -> None:
    """Raise Refusal for an amount that this currency cannot have."""
    if code in ZERO_DECIMAL_TIMES_100 and amount % 100:
        raise _bad_form(f"Invalid integer: amounts in {code} must be a multiple of 100 (no decimals)")
    if code in THREE_DECIMAL and amount % 10:
        raise _bad_form(f"Invalid integer: amounts in {code} must have 0 as their last digit")
    if amount > MAXIMUM:
        message = f"Amount must be no more than {words(MAXIMUM, code)}"
        raise invalid(message, "amount", "amount_too_large")


def check_charge(amount: int, code: str, *, settled: tuple[str, float] | None = None) -> None:
    """The same, and the minimum charge, judged in the currency the money is settled in (at a rate)."""
    check_form(amount, code)
    judged, rate = settled or (code, 1.0)
    minimum = MINIMUM_CHARGE.get(judged, 1)
    if amount * rate < minimum:
        raise Refusal(400, f"Amount must be at least {words(minimum, judged)}", code="amount_too_small", param="amount")


def check_payout(amount: int, code: str) -> None:
    """The same for a payout."""
    check_form(amount, code)
    if code in PAYOUT_IN_HUNDREDS and amount % 100:
        raise _bad_form(f"Invalid integer: payouts in {code} must be divisible by 100")


def words(amount: int, code: str) -> str:
    """An amount as in Stripe's messages, such as `$0.50 usd`."""
    places = 0 if code in ZERO_DECIMAL else 3 if code in THREE_DECIMAL else 2
    sign = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}.get(code, "")
    return f"{sign}{amount / 10**places:.{places}f} {code}"


def _bad_form(message: str) -> Refusal:
    return invalid(message, "amount", "parameter_invalid_integer")
