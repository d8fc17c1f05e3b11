"""An amount of money: whole minor units of one currency, never a fraction, never less than nothing."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from decimal import Decimal

from babel import Locale

from payments import currencies

LARGEST = 2**53
"""The greatest whole number that JSON's readers agree on."""


class InvalidMoney(ValueError):
    """No amount of money; the text says what one looks like."""


class CurrencyMismatch(InvalidMoney):
    """Two amounts of different currencies were to be put together."""


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units (cents, pence, yen) of `currency`. Raises InvalidMoney for anything that is not exactly that.

    Any currency of Stripe's will do, so that the books can be read after a currency was taken off the
    list; what comes in from outside goes through `Money.of`.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        _check_currency(self.currency)
        if type(self.minor) is not int:  # a bool is an int to isinstance
            raise InvalidMoney(
                f"An amount is a whole number of minor units, such as 1250 for 12.50 {self.currency}; "
                f"got {type(self.minor).__name__} {self.minor!r:.40}."
            )
        if self.minor < 0:
            raise InvalidMoney("An amount is not negative; who gets money back is said by the kind of operation.")
        if self.minor > LARGEST:
            raise InvalidMoney(f"An amount is at most 2^53 = {LARGEST} minor units, got more.")
        if self.minor % currencies.step(self.currency):
            unit = currencies.step(self.currency)
            raise InvalidMoney(f"Amounts in {self.currency} are divisible by {unit}, got {self.minor}.")

    @classmethod
    def of(cls, amount: object, currency: object) -> Money:
        """Money from outside: more than nothing, in a currency that is taken here. Raises InvalidMoney."""
        try:
            currencies.require_allowed(currency)
        except currencies.UnknownCurrency as error:
            raise InvalidMoney(str(error)) from None
        money = cls(amount, currency)  # type: ignore[arg-type] # checked there
        if not money.minor:
            raise InvalidMoney("An amount is at least 1 minor unit, got 0.")
        return money

    def __add__(self, other: Money) -> Money:
        """Both together. Raises CurrencyMismatch."""
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        """What is left. Raises CurrencyMismatch, InvalidMoney when `other` is more."""
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __bool__(self) -> bool:
        """Whether it is more than nothing."""
        return self.minor > 0

    def __str__(self) -> str:
        """For logs and refusals: `12.50 usd`. For people's eyes there is `words`."""
        return f"{decimal(self):f} {self.currency}"

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self} and {other} are different currencies; nothing is converted here.")


def decimal(money: Money) -> Decimal:
    """The amount in whole units, exact, with the decimals that the currency has."""
    return Decimal(money.minor).scaleb(-currencies.exponent(money.currency))


def words(money: Money, language: str) -> str:
    """As a person writes it in `language` (en, de): $12.50, 12,50 €, ¥1,250.

    Decimals are Stripe's, not those of babel's table, which would round 12.50 ALL to 13.
    """
    locale = Locale.parse(language, sep="-")
    pattern = copy.copy(locale.currency_formats["standard"])
    exponent = currencies.exponent(money.currency)
    digits = 0 if currencies.step(money.currency) == 10**exponent else exponent
    pattern.frac_prec = (digits, digits)
    return pattern.apply(decimal(money), locale, currency=money.currency.upper(), currency_digits=False)


def _check_currency(currency: object) -> None:
    try:
        currencies.require_known(currency)
    except currencies.UnknownCurrency as error:
        raise InvalidMoney(str(error)) from None
