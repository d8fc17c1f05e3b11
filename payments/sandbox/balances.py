"""Balances per account and currency. Every movement is a balance transaction; nothing else changes a balance.

Rules from docs.stripe.com/payments/balances and docs.stripe.com/reports/reporting-categories.
"""

from __future__ import annotations

import heapq
from typing import Any

from payments.sandbox.clock import Clock
from payments.sandbox.store import Record, Store, fresh

KIND = "balance_transaction"
Purse = tuple[str, str]  # account and currency


class Balances:
    """Sums that follow the balance transactions in the store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._available: dict[Purse, int] = {}
        self._pending: dict[Purse, list[tuple[int, int, int]]] = {}  # heaps of (available_on, order, net)
        for record in store.all(KIND):
            self._count(record)

    def post(
        self,
        account: str,
        amount: int,
        currency: str,
        *,
        kind: str,
        category: str,
        source: str,
        fee: int = 0,
        available_on: int | None = None,
        **fields: Any,
    ) -> Record:
        """Move `amount` (negative: out) less `fee`, in minor units; available at once or at a time to come.

        `kind` is Stripe's `type`, `category` its `reporting_category`.
        """
        now = self._clock.now()
        data = fresh(
            "txn", KIND, now, amount=amount, available_on=max(now, available_on or now), balance_type="payments",
            currency=currency, description=None, exchange_rate=None, fee=fee, fee_details=_details(fee, currency),
            net=amount - fee, reporting_category=category, source=source, status="pending", type=kind,
        )  # fmt: skip
        del data["livemode"]  # the one object of ours that has none
        record = self._store.add(KIND, account, data | fields)
        self._count(record)
        return record

    def available(self, account: str, currency: str) -> int:
        """Minor units that can be spent now."""
        purse = (account, currency)
        heap, now = self._pending.get(purse, []), self._clock.now()
        while heap and heap[0][0] <= now:
            self._available[purse] = self._available.get(purse, 0) + heapq.heappop(heap)[2]
        return self._available.get(purse, 0)

    def pending(self, account: str, currency: str) -> int:
        """Minor units that will be spendable later."""
        self.available(account, currency)
        return sum(net for _, _, net in self._pending.get((account, currency), []))

    def currencies(self, account: str) -> list[str]:
        """The currencies this account has ever had."""
        purses = self._available.keys() | self._pending.keys()
        return sorted({currency for owner, currency in purses if owner == account})

    def settle(self, account: str | None = None) -> list[str]:
        """Make everything pending available now; gives the accounts it changed."""
        now = self._clock.now()
        late = [one for one in self._store.all(KIND, account) if one.data["available_on"] > now]
        for record in late:
            self._store.change(record, available_on=now)
        self._available, self._pending = {}, {}
        for record in self._store.all(KIND):
            self._count(record)
        return sorted({record.account for record in late})

    def _count(self, record: Record) -> None:
        data = record.data
        purse = (record.account, data["currency"])
        heapq.heappush(self._pending.setdefault(purse, []), (data["available_on"], record.order, data["net"]))


def _details(fee: int, currency: str) -> list[dict[str, Any]]:
    """What a fee is made of."""
    about = {"application": None, "description": "Stripe processing fees", "type": "stripe_fee"}
    return [about | {"amount": fee, "currency": currency}] if fee else []
