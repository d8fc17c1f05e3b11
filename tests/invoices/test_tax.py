"""The rule of VAT, and sums that add up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices import amounts, tax
from invoices.parties import Party
from invoices.states import Category
from tests.invoices.people import BERLIN, CAIRO, FRENCH_VAT, GERMAN_VAT, PARIS, party

GERMAN, SMALL = party(**GERMAN_VAT), party(tax_id="31/123/45678")


@pytest.mark.parametrize(
    ("issuer", "recipient", "category", "rate"),
    [
        (GERMAN, party(**BERLIN), Category.STANDARD, 1900),
        (GERMAN, party(**GERMAN_VAT), Category.STANDARD, 1900),
        (GERMAN, party(**PARIS | FRENCH_VAT), Category.REVERSE_CHARGE, 0),
        (GERMAN, party(**PARIS), Category.STANDARD, 1900),
        (GERMAN, party(**CAIRO), Category.NOT_SUBJECT, 0),
        (GERMAN, party(country=""), Category.STANDARD, 1900),
        (SMALL, party(**BERLIN), Category.NOT_SUBJECT, 0),
        (party(**CAIRO, vat_id="EG1"), party(**BERLIN), Category.NOT_SUBJECT, 0),
        (party(country="FI", vat_id="FI12345678"), party(country="FI"), Category.STANDARD, 2550),
    ],
)
def test_the_rule_looks_at_both_countries_and_ids(
    issuer: Party, recipient: Party, category: Category, rate: int
) -> None:
    assert tax.treatment(issuer=issuer, recipient=recipient) == tax.Treatment(category=category, rate_bps=rate)


def test_a_rate_of_the_settings_overrides_ours(settings: Any) -> None:
    settings.INVOICE_VAT_RATES = {"DE": "16", "FI": "25.5"}
    assert tax.treatment(issuer=GERMAN, recipient=GERMAN).rate_bps == 1600


@given(
    gross=st.integers(1, 10**12),
    rate=st.sampled_from([0, *sorted(set(tax.RATES.values()))]),
    step=st.sampled_from([1, 10]),
)
def test_net_tax_and_rounding_are_what_was_paid_and_the_tax_is_that_of_the_net(
    gross: int, rate: int, step: int
) -> None:
    paid = gross * step
    found = tax.split(paid, rate_bps=rate, step=step)
    assert found.net + found.tax + found.rounding == paid
    assert abs(found.tax * 10_000 - found.net * rate) * 2 <= 10_000 * step
    assert found.net % step == found.tax % step == 0
    assert abs(found.rounding) <= step
    if rate == 0:
        assert (found.net, found.tax, found.rounding) == (paid, 0, 0)


def test_some_amounts_have_no_exact_net_and_the_difference_is_shown() -> None:
    odd = [gross for gross in range(1, 400) if tax.split(gross, rate_bps=1900, step=1).rounding]
    assert odd[:3] == [3, 9, 16]


@given(parts=st.lists(st.integers(1, 10**9), min_size=1, max_size=60), of=st.integers(0, 10**10))
def test_the_lines_add_up_to_the_net_amount(parts: list[int], of: int) -> None:
    found = tax.shares(parts, of=of, step=1)
    assert sum(found) == of
    assert all(share >= 0 for share in found)


@pytest.mark.parametrize(
    ("minor", "currency", "decimals", "language", "said", "plain"),
    [
        (125_000, "EUR", 2, "de", "1.250,00\xa0€", "1250.00"),
        (125_000, "USD", 2, "en", "$1,250.00", "1250.00"),
        (1_250, "JPY", 0, "en", "¥1,250", "1250"),
        (1_250_750, "KWD", 3, "en", "KWD\xa01,250.750", "1250.75"),
        (-1_250_750, "KWD", 3, "de", "-1.250,750\xa0KWD", "-1250.75"),
    ],
)
def test_amounts_are_written_as_their_currency_has_it(
    minor: int, currency: str, decimals: int, language: str, said: str, plain: str
) -> None:
    assert amounts.words(minor, currency, decimals, language) == said
    assert amounts.plain(minor, decimals) == plain
