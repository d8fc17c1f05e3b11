"""How VAT is treated: a small rule, and the sums that follow from it (pure).

What moved is what was agreed on, so every amount here includes its tax. The rule, and what it assumes:

- an issuer without a VAT id, or outside of the EU, charges none (O: not subject to VAT);
- from an EU issuer with a VAT id to another EU country's VAT id: none, the recipient owes it (AE: reverse charge,
  Article 196 of the VAT directive);
- to a recipient outside of the EU: none (O), because freelance work is supplied where its recipient is
  (Articles 44 and 59);
- else, also where the recipient's country is not known: the standard rate of the issuer's country (S).

Assumed: services, not goods; no reduced rates; below the threshold of the one-stop shop; ids are what people said
(their form was checked, their existence was not). Whoever needs more asks a tax adviser, and changes this module.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from invoices.parties import Party
from invoices.states import Category

WHOLE = 10_000
"""Basis points: all of it."""

# Standard rates in basis points, as of November 2026 (European Commission, "VAT rates applied in the Member States").
RATES = {
    "AT": 2000, "BE": 2100, "BG": 2000, "CY": 1900, "CZ": 2100, "DE": 1900, "DK": 2500, "EE": 2400, "ES": 2100,
    "FI": 2550, "FR": 2000, "GR": 2400, "HR": 2500, "HU": 2700, "IE": 2300, "IT": 2200, "LT": 2100, "LU": 1700,
    "LV": 2100, "MT": 1800, "NL": 2100, "PL": 2300, "PT": 2300, "RO": 2100, "SE": 2500, "SI": 2200, "SK": 2300,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """A category, and its rate in basis points."""

    category: Category
    rate_bps: int


@dataclass(frozen=True, kw_only=True)
class Split:
    """An amount that includes tax, taken apart; all three are minor units and add up to it."""

    net: int
    tax: int
    rounding: int


def treatment(*, issuer: Party, recipient: Party) -> Treatment:
    """By the rule above. A rate of INVOICE_VAT_RATES (country → percent) overrides that of RATES."""
    if not issuer.vat_id or issuer.country not in RATES:
        return Treatment(category=Category.NOT_SUBJECT, rate_bps=0)
    if recipient.country and recipient.country not in RATES:
        return Treatment(category=Category.NOT_SUBJECT, rate_bps=0)
    if recipient.vat_id and recipient.country not in ("", issuer.country):
        return Treatment(category=Category.REVERSE_CHARGE, rate_bps=0)
    return Treatment(category=Category.STANDARD, rate_bps=_rate(issuer.country))


def split(gross: int, *, rate_bps: int, step: int) -> Split:
    """Take `gross` apart. Net and tax are rounded half up to multiples of `step` minor units.

    EN 16931 wants the tax to be the rounded product of net and rate; for some amounts no such pair adds up to
    what was paid, and `rounding` (BT-114), at most one step, is what is left over.
    """
    net = _rounded(gross * WHOLE, (WHOLE + rate_bps) * step) * step
    tax = _rounded(net * rate_bps, WHOLE * step) * step
    return Split(net=net, tax=tax, rounding=gross - net - tax)


def shares(parts: list[int], *, of: int, step: int) -> list[int]:
    """`of` divided in proportion to `parts`, in multiples of `step`: together they are exactly `of`."""
    whole, before, found = sum(parts), 0, []
    for part in parts:
        end = before + part
        found.append((_rounded(of * end, whole * step) - _rounded(of * before, whole * step)) * step)
        before = end
    return found


def _rate(country: str) -> int:
    percent = settings.INVOICE_VAT_RATES.get(country)
    return RATES[country] if percent is None else round(float(percent) * 100)


def _rounded(numerator: int, denominator: int) -> int:
    """The quotient, half up; neither is negative."""
    return (2 * numerator + denominator) // (2 * denominator)
