"""`POST /_test/advance`: moves that only Stripe, a bank or a person outside can make. Each is one order:

| what | and | happens |
|---|---|---|
| clock | seconds | time passes |
| settle | account? | pending balance becomes available; refunds that waited for it go on |
| capture | charge? | charges without a balance transaction get theirs (with setting capture=manual) |
| payment_intent | id, to: succeeded or failed | authentication or a bank debit ends |
| payout | id, to: in_transit, paid, failed; code? | the bank moves |
| payouts | | accounts with an automatic schedule are paid out |
| refund | id, to: succeeded, failed, requires_action | the bank moves |
| dispute | charge or id, to: open, inquiry, withdrawn, won, lost; amount? | the payer's bank moves |
| account | id, to: onboarded (bank?), deauthorized, capability_lost (capability?), payouts_lost | Connect moves |
| account | id, to: bank_errored, bank_repaired | the default bank account takes no payouts, or takes them again |

What cannot be done raises ValueError or KeyError with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from payments.sandbox.events import emit
from payments.sandbox.render import show
from payments.sandbox.resources import balance, banks, charges, disputes, outcomes, payouts, refunds, standing
from payments.sandbox.store import Record
from payments.sandbox.world import STRIPE, World

Order = dict[str, Any]


def advance(world: World, order: Order) -> dict[str, Any]:
    """Do it; gives the object that moved, or what was counted."""
    what = order.get("what")
    if what not in _MOVES:
        raise ValueError(f"what must be one of {', '.join(_MOVES)}; it is {what!r}.")
    result = _MOVES[what](world, order)
    return show(world, result) if isinstance(result, Record) else result


def _clock(world: World, order: Order) -> dict[str, Any]:
    world.clock.advance(float(order["seconds"]))
    world.keep()
    world.keys.prune()
    return {"now": world.clock.now()}


def _settle(world: World, order: Order) -> dict[str, Any]:
    changed = balance.settle(world, order.get("account"))
    return {"accounts": changed, "refunds": [one.id for one in refunds.retry_unfunded(world)]}


def _capture(world: World, order: Order) -> dict[str, Any]:
    late = [
        one for one in world.store.all("charge")
        if one.data["balance_transaction"] is None and one.data["status"] == "succeeded"
        and order.get("charge") in (None, one.id)
    ]  # fmt: skip
    for charge in late:
        charges.capture(world, charge, STRIPE)
    return {"charges": [one.id for one in late]}


def _payment_intent(world: World, order: Order) -> Record:
    record = world.store.get("payment_intent", order["id"])
    if record.data["status"] not in ("requires_action", "processing"):
        raise ValueError(f"{record.id} is {record.data['status']}; only requires_action and processing can be moved.")
    if _to(order, "succeeded", "failed") == "succeeded":
        outcomes.succeed(world, record)
    else:
        outcomes.fail(world, record)
    return record


def _payout(world: World, order: Order) -> Record:
    record = world.store.get("payout", order["id"])
    payouts.move(world, record, _to(order, "in_transit", "paid", "failed"), order.get("code", "could_not_process"))
    return record


def _payouts(world: World, _: Order) -> dict[str, Any]:
    return {"payouts": [one.id for one in payouts.pay_out_automatically(world)]}


def _refund(world: World, order: Order) -> Record:
    record, to = world.store.get("refund", order["id"]), _to(order, "succeeded", "failed", "requires_action")
    if to == "succeeded":
        refunds.succeed(world, record)
    elif to == "failed":
        refunds.fail(world, record, order.get("code", "expired_or_canceled_card"))
    else:
        former = world.store.change(record, status="requires_action")
        emit(world, record, "refund.updated", former=former)
    return record


def _dispute(world: World, order: Order) -> Record:
    to = _to(order, "open", "inquiry", "withdrawn", "won", "lost")
    if to in ("open", "inquiry"):
        charge = world.store.get("charge", order["charge"])
        return disputes.open_on(world, charge, amount=order.get("amount"), inquiry=to == "inquiry",
                                withdraw=order.get("withdraw", True))  # fmt: skip
    record = world.store.get("dispute", order["id"])
    if to == "withdrawn":
        disputes.withdraw_funds(world, record)
    else:
        disputes.end(world, record, won=to == "won")
    return record


def _account(world: World, order: Order) -> Record:
    record = world.store.get("account", order["id"])
    to = _to(order, "onboarded", "deauthorized", "capability_lost", "payouts_lost", "bank_errored", "bank_repaired")
    if to == "onboarded":
        standing.onboard(world, record, order.get("bank", banks.GOOD))
    elif to == "deauthorized":
        standing.deauthorize(world, record)
    elif to.startswith("bank_"):
        bank = banks.default_for(world.store, record.id, record.data["default_currency"])
        if bank is None:
            raise ValueError(f"{record.id} has no bank account yet: onboard it first.")
        banks.set_status(world, bank, "errored" if to == "bank_errored" else "new")
    else:
        standing.lose_capability(world, record, order.get("capability", "transfers"), payouts=to == "payouts_lost")
    return record


def _to(order: Order, *allowed: str) -> str:
    to = order.get("to")
    if to not in allowed:
        raise ValueError(f"to must be one of {', '.join(allowed)}; it is {to!r}.")
    return str(to)


_MOVES: dict[str, Callable[[World, Order], Record | dict[str, Any]]] = {
    "clock": _clock, "settle": _settle, "capture": _capture, "payment_intent": _payment_intent, "payout": _payout,
    "payouts": _payouts, "refund": _refund, "dispute": _dispute, "account": _account,
}  # fmt: skip
