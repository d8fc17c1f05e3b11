"""Balance, balance settings and balance transactions."""

from __future__ import annotations

from typing import Any

from payments.sandbox.call import Call
from payments.sandbox.events import emit_object
from payments.sandbox.lists import listing
from payments.sandbox.resources import accounts
from payments.sandbox.resources.edits import retrieving
from payments.sandbox.world import World

retrieve_transaction = retrieving("balance_transaction")
transactions = listing("balance_transaction", "currency", "source", "type", "payout")
INTERVALS = ("manual", "daily", "weekly", "monthly")


def retrieve(call: Call) -> dict[str, Any]:
    """GET /v1/balance"""
    call.begin()
    return shown(call.world, call.account)


def shown(world: World, account: str) -> dict[str, Any]:
    """The Balance object: what is available and pending, by currency."""
    balances = world.balances
    currencies = balances.currencies(account) or [world.store.get("account", account).data["default_currency"]]

    def rows(amount: Any) -> list[dict[str, Any]]:
        found = ((one, amount(account, one)) for one in currencies)
        return [{"amount": sum_, "currency": one, "source_types": {"card": sum_}} for one, sum_ in found]

    return {
        "object": "balance",
        "livemode": False,
        "available": rows(balances.available),
        "pending": rows(balances.pending),
        "connect_reserved": [{"amount": 0, "currency": one} for one in currencies],
    }


def settings(call: Call) -> dict[str, Any]:
    """GET /v1/balance_settings"""
    call.begin()
    return _settings(call)


def update_settings(call: Call) -> dict[str, Any]:
    """POST /v1/balance_settings: the payout schedule"""
    payments = call.params.section("payments")
    payouts = payments.section("payouts")
    interval = payouts.section("schedule").choice("interval", INTERVALS)
    for group, name in ((payments, "settlement_timing"), (payments, "debit_negative_balances"),
                        (payouts, "minimum_balance_by_currency"), (payouts, "statement_descriptor")):  # fmt: skip
        group.raw(name)
    call.begin()
    if interval and accounts.set_interval(call.store, call.store.get("account", call.account), interval):
        shown = _settings(call)
        emit_object(call.world, shown, "balance_settings.updated", call.origin, account=call.account)
    return _settings(call)


def settle(world: World, account: str | None = None) -> list[str]:
    """Make pending funds available, with their events; gives the accounts it changed."""
    changed = world.balances.settle(account)
    for one in changed:
        emit_object(world, shown(world, one), "balance.available", account=one)
    return changed


def _settings(call: Call) -> dict[str, Any]:
    account = call.store.get("account", call.account)
    schedule = {"interval": accounts.schedule(account)["interval"]}
    status = "enabled" if account.data["payouts_enabled"] else "disabled"
    payouts = {
        "minimum_balance_by_currency": None,
        "schedule": schedule,
        "statement_descriptor": None,
        "status": status,
    }
    timing = {"delay_days": accounts.schedule(account)["delay_days"]}
    payments = {"debit_negative_balances": False, "payouts": payouts, "settlement_timing": timing}
    return {"object": "balance_settings", "payments": payments}
