"""Money is whole minor units of one currency, and nothing else gets in."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from payments import currencies, fees
from payments.money import LARGEST, CurrencyMismatch, InvalidMoney, Money, words

BAD_AMOUNTS = [
    1.0, 12.5, float("nan"), float("inf"), True, False, Decimal(1), Decimal("12.50"), Fraction(1, 2), "100", "", b"1",
    None, [1], {"minor": 1}, -1, -(2**63), LARGEST + 1, 2**63, 10**5000, 1j,
]  # fmt: skip


@pytest.mark.parametrize("amount", BAD_AMOUNTS, ids=range(len(BAD_AMOUNTS)))
def test_what_is_no_whole_number_of_minor_units_is_refused_in_a_sentence(amount: Any) -> None:
    for make in (Money, Money.of):
        with pytest.raises(InvalidMoney) as refusal:
            make(amount, "usd")
        assert str(refusal.value).endswith(".")
        assert len(str(refusal.value)) < 200


class Sneaky(int):
    """An int by inheritance, which counts as it likes."""


def test_a_subclass_of_int_is_refused() -> None:
    with pytest.raises(InvalidMoney, match="Sneaky"):
        Money(Sneaky(5), "usd")


@pytest.mark.parametrize("currency", ["USD", "xyz", "", "us", "usdollar", None, 1, b"usd", "usd\0"])
def test_what_is_no_currency_is_refused(currency: Any) -> None:
    with pytest.raises(InvalidMoney):
        Money(1, currency)


def test_the_refusal_says_how_a_currency_is_written() -> None:
    with pytest.raises(InvalidMoney, match="Write it in lower case"):
        Money(1, "USD")


def test_from_outside_only_currencies_that_are_taken_here_come_in(settings: Any) -> None:
    settings.PAYMENTS_CURRENCIES = ["usd", "eur"]
    assert Money.of(5, "eur") == Money(5, "eur")
    with pytest.raises(InvalidMoney, match="gbp is not taken here; choose one of usd, eur"):
        Money.of(5, "gbp")
    assert Money(5, "gbp").minor == 5, "books in it can still be read"


def test_nothing_is_no_amount_from_outside() -> None:
    assert not Money(0, "usd")
    with pytest.raises(InvalidMoney, match="at least 1"):
        Money.of(0, "usd")


@pytest.mark.parametrize(("minor", "currency"), [(150, "isk"), (99, "ugx"), (1_005, "kwd"), (1, "bhd")], ids=str)
def test_an_amount_that_the_currency_cannot_express_is_refused(minor: int, currency: str) -> None:
    with pytest.raises(InvalidMoney, match="divisible"):
        Money(minor, currency)


def test_money_of_one_currency_adds_and_subtracts() -> None:
    assert Money(5, "usd") + Money(7, "usd") == Money(12, "usd")
    assert Money(7, "usd") - Money(5, "usd") == Money(2, "usd")
    with pytest.raises(InvalidMoney, match="not negative"):
        Money(5, "usd") - Money(7, "usd")
    with pytest.raises(InvalidMoney, match="2\\^53"):
        Money(LARGEST, "usd") + Money(1, "usd")


@pytest.mark.parametrize("operator", ["__add__", "__sub__"])
def test_different_currencies_are_not_put_together(operator: str) -> None:
    with pytest.raises(CurrencyMismatch, match=r"5\.00 usd and 5 jpy"):
        getattr(Money(500, "usd"), operator)(Money(5, "jpy"))


def test_money_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Money(5, "usd").minor = 6  # type: ignore[misc]


@pytest.mark.parametrize(
    ("money", "english", "german"),
    [
        (Money(1_250, "usd"), "$12.50", "12,50\N{NO-BREAK SPACE}$"),
        (Money(123_456_789, "eur"), "€1,234,567.89", "1.234.567,89\N{NO-BREAK SPACE}€"),
        (Money(1_250, "jpy"), "¥1,250", "1.250\N{NO-BREAK SPACE}¥"),
        (Money(5, "gbp"), "£0.05", "0,05\N{NO-BREAK SPACE}£"),
        (Money(123_400, "isk"), "ISK1,234", "1.234\N{NO-BREAK SPACE}ISK"),
        (Money(1_250, "all"), "ALL12.50", "12,50\N{NO-BREAK SPACE}ALL"),
        (Money(1_230, "kwd"), "KWD1.230", "1,230\N{NO-BREAK SPACE}KWD"),
    ],
    ids=str,
)
def test_words_are_what_a_person_writes(money: Money, english: str, german: str) -> None:
    assert (words(money, "en"), words(money, "de")) == (english, german)


def test_exponents_are_stripes() -> None:
    found = {code: currencies.exponent(code) for code in ("usd", "jpy", "mga", "isk", "ugx", "kwd", "huf", "krw")}
    assert found == {"usd": 2, "jpy": 0, "mga": 0, "isk": 2, "ugx": 2, "kwd": 3, "huf": 2, "krw": 0}
    assert {code: currencies.step(code) for code in ("usd", "jpy", "isk", "ugx", "kwd", "huf")} == {
        "usd": 1, "jpy": 1, "isk": 100, "ugx": 100, "kwd": 10, "huf": 1,
    }  # fmt: skip
    assert [currencies.payout_step(code) for code in ("huf", "twd", "isk", "usd", "kwd")] == [100, 100, 100, 1, 10]


def test_each_currency_has_one_exponent() -> None:
    tables = (currencies.ZERO_DECIMAL, currencies.TWO_DECIMAL, currencies.THREE_DECIMAL)
    assert sum(map(len, tables)) == len(currencies.KNOWN)
    assert all(len(code) == 3 and code.islower() for code in currencies.KNOWN)


# ---------------------------------------------------------------- the platform's fee
AMOUNTS = st.integers(1, LARGEST)


@given(gross=AMOUNTS, bps=st.integers(0, 9_999))
def test_fee_and_net_are_the_gross_and_the_freelancer_gets_something(gross: int, bps: int) -> None:
    with override_settings(PLATFORM_FEE_BPS=bps):
        fee, net = fees.split(Money(gross, "usd"))
    assert fee.minor + net.minor == gross
    assert net.minor > 0
    assert fee.minor * 10_000 <= gross * bps < (fee.minor + 1) * 10_000, "rounded down, by less than a cent"


@pytest.mark.parametrize(
    ("money", "fee"),
    [(Money(10_000, "usd"), 500), (Money(10_019, "usd"), 500), (Money(19, "usd"), 0), (Money(10_100, "kwd"), 500)],
    ids=str,
)
def test_a_fraction_stays_the_freelancers(money: Money, fee: int) -> None:
    assert fees.split(money)[0].minor == fee


@given(gross=st.integers(1, 100_000), bps=st.integers(0, 9_999), data=st.data())
def test_parts_of_a_release_give_back_the_fee_and_no_more(gross: int, bps: int, data: Any) -> None:
    fee = gross * bps // 10_000
    cuts = sorted({0, gross, *data.draw(st.lists(st.integers(0, gross), max_size=5))})
    shares = [fees.share(cut, whole=gross, fee=fee, step=1) for cut in cuts]
    given_back = [until - since for since, until in pairwise(shares)]
    assert sum(given_back) == fee
    assert all(0 <= back <= until - since for back, (since, until) in zip(given_back, pairwise(cuts), strict=True))
