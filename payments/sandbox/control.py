"""A client for the local Stripe's `/_test` endpoints: for tests, demo and soak. Standard library only."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, NamedTuple

Json = dict[str, Any]


class Refused(Exception):
    """The local Stripe says what is wrong with an order."""


class Effect(NamedTuple):
    """One movement of money. `amount` in minor units."""

    type: str
    id: str
    amount: int
    currency: str
    account: str
    status: str | None
    created: int


class Effects(NamedTuple):
    """All movements of money, by the operation that asked for them. `totals`: type, currency, then count, amount,
    undone_count and undone_amount."""

    operations: dict[str, list[Effect]]
    without_operation: list[Effect]
    totals: dict[str, dict[str, dict[str, int]]]

    def count(self, operation: str) -> int:
        """How often an operation moved money: 1 is right."""
        return len(self.operations.get(operation, []))


class Control:
    """Orders to one local Stripe. Every method raises Refused, or OSError when nobody listens."""

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout

    # ------------------------------------------------------------ look
    def effects(self) -> Effects:
        """The oracle for "exactly once"."""
        found = self._ask("GET", "effects")
        operations = {name: [Effect(**one) for one in row["effects"]] for name, row in found["operations"].items()}
        return Effects(operations, [Effect(**one) for one in found["without_operation"]], found["totals"])

    def state(self) -> Json:
        """Clock, settings, balances and every object by kind."""
        return self._ask("GET", "state")

    def balance(self, account: str, currency: str = "usd") -> tuple[int, int]:
        """Available and pending, in minor units."""
        row = self.state()["balances"].get(account, {}).get(currency, {"available": 0, "pending": 0})
        return row["available"], row["pending"]

    @property
    def platform(self) -> str:
        """The platform's own account id."""
        return str(self.state()["platform"])

    # ------------------------------------------------------------ begin anew, set up
    def reset(self) -> None:
        """Forget everything but how the server was started."""
        self._ask("POST", "reset", {})

    def settings(self, **values: Any) -> Json:
        """Change settings (fees, delays, conversions); gives them all."""
        return self._ask("POST", "settings", values)

    def fund(self, amount: int, currency: str = "usd", account: str | None = None) -> None:
        """Available balance from nowhere, on the platform unless an account is named."""
        self._ask("POST", "fund", {"amount": amount, "currency": currency} | _given(account=account))

    def hand_made(self, *, kind: str = "transfer", account: str | None = None, **params: Any) -> Json:
        """A transfer, payout or refund made in the Dashboard, without operation id; gives the object."""
        return self._ask("POST", "hand_made", {"kind": kind} | _given(account=account) | params)

    # ------------------------------------------------------------ what only Stripe or a bank can do
    def advance_clock(self, seconds: float) -> int:
        """Time passes; gives the new time."""
        return int(self._ask("POST", "advance", {"what": "clock", "seconds": seconds})["now"])

    def settle(self, account: str | None = None) -> None:
        """Pending balance becomes available."""
        self._ask("POST", "advance", {"what": "settle"} | _given(account=account))

    def capture(self, charge: str | None = None) -> None:
        """Give charges their balance transaction (with settings(capture="manual"))."""
        self._ask("POST", "advance", {"what": "capture"} | _given(charge=charge))

    def payment_intent(self, wanted: str, to: str) -> Json:
        """`succeeded` or `failed`, from requires_action or processing."""
        return self._ask("POST", "advance", {"what": "payment_intent", "id": wanted, "to": to})

    def payout(self, wanted: str, to: str, code: str | None = None) -> Json:
        """`in_transit`, `paid` or `failed`; `paid` can still fail."""
        return self._ask("POST", "advance", {"what": "payout", "id": wanted, "to": to} | _given(code=code))

    def automatic_payouts(self) -> list[str]:
        """Pay out accounts with an automatic schedule; the payouts' ids."""
        return list(self._ask("POST", "advance", {"what": "payouts"})["payouts"])

    def refund(self, wanted: str, to: str, code: str | None = None) -> Json:
        """`succeeded`, `failed` (also after succeeded) or `requires_action`."""
        return self._ask("POST", "advance", {"what": "refund", "id": wanted, "to": to} | _given(code=code))

    def open_dispute(
        self, charge: str, *, amount: int | None = None, inquiry: bool = False, withdraw: bool = True
    ) -> Json:
        """The payer disputes a charge; gives the dispute."""
        order = {"what": "dispute", "to": "inquiry" if inquiry else "open", "charge": charge, "withdraw": withdraw}
        return self._ask("POST", "advance", order | _given(amount=amount))

    def dispute(self, wanted: str, to: str) -> Json:
        """`withdrawn`, `won` or `lost`."""
        return self._ask("POST", "advance", {"what": "dispute", "id": wanted, "to": to})

    def account(self, wanted: str, to: str, **more: str) -> Json:
        """`onboarded` (bank=…), `deauthorized`, `capability_lost` (capability=…), `payouts_lost`, `bank_errored`,
        `bank_repaired`."""
        return self._ask("POST", "advance", {"what": "account", "id": wanted, "to": to} | more)

    # ------------------------------------------------------------ faults
    def fault(self, kind: str, **order: Any) -> str:
        """Order a fault (kinds and fields: payments/sandbox/faults.py); its id."""
        return str(self._ask("POST", "faults", {"kind": kind} | order)["id"])

    def faults(self) -> list[Json]:
        """All orders, with what they have done."""
        return list(self._ask("GET", "faults")["data"])

    def clear_faults(self, wanted: str | None = None) -> None:
        """Withdraw one order, or all."""
        self._ask("DELETE", f"faults/{wanted}" if wanted else "faults")

    # ------------------------------------------------------------ webhooks
    def webhooks(self) -> Json:
        """What waits, what is parked, the last attempts."""
        return self._ask("GET", "webhooks")

    def hold_webhooks(self) -> None:
        """Park new deliveries."""
        self._ask("POST", "webhooks", {"hold": True})

    def flush_webhooks(self, order: str = "first", *, release: bool = True) -> int:
        """Send what is parked: `first` come first, `reverse` or `random`; how many."""
        return int(self._ask("POST", "webhooks", {"flush": order, "release": release})["flushed"])

    def retry_webhooks(self) -> int:
        """Try everything that waits now; how many."""
        return int(self._ask("POST", "webhooks", {"retry": True})["retried"])

    def resend_webhook(self, event: str) -> int:
        """Deliver an event again; to how many endpoints."""
        return int(self._ask("POST", "webhooks", {"resend": event})["resent"])

    def webhook_fault(self, kind: str, **order: Any) -> str:
        """Order a fault of webhooks (kinds and fields: payments/sandbox/webhook_faults.py); its id."""
        return str(self._ask("POST", "webhook_faults", {"kind": kind} | order)["id"])

    def clear_webhook_faults(self, wanted: str | None = None) -> None:
        """Withdraw one order, or all."""
        self._ask("DELETE", f"webhook_faults/{wanted}" if wanted else "webhook_faults")

    # ------------------------------------------------------------ inside
    def _ask(self, method: str, what: str, order: Json | None = None) -> Json:
        body = None if order is None else json.dumps(order).encode()
        request = urllib.request.Request(  # noqa: S310 - the address is the local Stripe's
            f"{self.url}/_test/{what}", data=body, method=method, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} /_test/{what}: {error.read().decode(errors='replace')}") from None


def _given(**values: Any) -> Json:
    return {name: value for name, value in values.items() if value is not None}
