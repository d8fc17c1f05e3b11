"""Whose balance at Stripe is compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.database import rows
from payments import currencies
from payments.ledger import balance
from payments.models import PayoutAccount
from payments.models.account import PayoutStatus


@dataclass(frozen=True, slots=True)
class Side:
    """The platform (no account), or a connected account."""

    account: str = ""

    @property
    def codes(self) -> str:
        """How the codes of its accounts in the books begin; the currency follows (ledger/accounts.py)."""
        return f"stripe:connected:{self.account}:" if self.account else "stripe:platform:"

    @property
    def name(self) -> str:
        """For people."""
        return self.account or "the platform"

    def booked(self) -> dict[str, int]:
        """Its balances as the books have them, in minor units by currency."""
        codes = [self.codes + currency for currency in currencies.KNOWN]
        found = rows("SELECT code FROM ledger_account WHERE code = ANY(%s) ORDER BY code", [codes])
        return {code.removeprefix(self.codes): balance(code) for (code,) in found}


def connected() -> Iterator[Side]:
    """Every connected account that its owner has not taken away from us."""
    active = PayoutAccount.objects.exclude(status=PayoutStatus.DEAUTHORIZED).order_by("id")
    for account in active.values_list("stripe_account", flat=True).iterator():
        yield Side(account)


def is_gone(side: Side) -> bool:
    """Whether its owner took it away from us, as far as we know."""
    return PayoutAccount.objects.filter(stripe_account=side.account, status=PayoutStatus.DEAUTHORIZED).exists()
