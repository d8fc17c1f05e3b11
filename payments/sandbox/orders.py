"""What `/_test` does: a function an order. What is wrong with one is said by ValueError, KeyError or Refusal."""

from __future__ import annotations

from typing import Any

from payments.sandbox import ids
from payments.sandbox.advance import advance as moved
from payments.sandbox.call import Call
from payments.sandbox.effects import effects as counted
from payments.sandbox.params import Params
from payments.sandbox.render import show
from payments.sandbox.resources import payouts, refunds, transfers
from payments.sandbox.sandbox import Sandbox
from payments.sandbox.webhooks import ORDERS
from payments.sandbox.world import STRIPE

Order = dict[str, Any]
INTERNAL = ("idempotency", "delivery", "account_link", "world")
HAND_MADE = {"transfer": transfers.create, "payout": payouts.create, "refund": refunds.create}


async def effects(sandbox: Sandbox, _: Order) -> Order:
    return counted(sandbox.world.store)


async def state(sandbox: Sandbox, _: Order) -> Order:
    world = sandbox.world
    objects: dict[str, dict[str, Any]] = {}
    for record in world.store.everything():
        if record.kind not in INTERNAL:
            objects.setdefault(record.kind, {})[record.id] = show(world, record)
    sums = {
        account.id: {
            one: {
                "available": world.balances.available(account.id, one),
                "pending": world.balances.pending(account.id, one),
            }
            for one in world.balances.currencies(account.id)
        }
        for account in world.store.all("account")
    }
    keys = len(world.store.all("idempotency"))
    return {"now": world.clock.now(), "platform": ids.PLATFORM, "settings": world.settings.json(), "balances": sums,
            "idempotency_keys": keys, "objects": objects}  # fmt: skip


async def reset(sandbox: Sandbox, _: Order) -> Order:
    await sandbox.reset()
    return {"platform": ids.PLATFORM}


async def settings(sandbox: Sandbox, order: Order) -> Order:
    sandbox.world.settings.change(order)
    if order:
        sandbox.world.keep()
    return sandbox.world.settings.json()


async def advance(sandbox: Sandbox, order: Order) -> Order:
    result = moved(sandbox.world, order)
    sandbox.webhooks.couriers.wake()
    return result


async def fund(sandbox: Sandbox, order: Order) -> Order:
    world, account = sandbox.world, order.get("account", ids.PLATFORM)
    world.store.get("account", account)
    if type(order["amount"]) is not int:
        raise ValueError("amount is a whole number of minor units.")
    move = world.balances.post(account, order["amount"], order["currency"], kind="topup", category="topup",
                               source=ids.new("tu"))  # fmt: skip
    refunds.retry_unfunded(world)
    return show(world, move)


async def hand_made(sandbox: Sandbox, order: Order) -> Order:
    kind, account = order.pop("kind", "transfer"), order.pop("account", ids.PLATFORM)
    if kind not in HAND_MADE:
        raise ValueError(f"kind must be one of {', '.join(HAND_MADE)}; it is {kind!r}.")
    params = Params({name: str(value) for name, value in order.items()})
    record = HAND_MADE[kind](Call(sandbox.world, account, (), params, STRIPE))
    return show(sandbox.world, record)


async def faults(sandbox: Sandbox, _: Order) -> Order:
    return {"data": sandbox.api.faults.json()}


async def add_fault(sandbox: Sandbox, order: Order) -> Order:
    return sandbox.api.faults.add(order).json()


async def clear_faults(sandbox: Sandbox, order: Order) -> Order:
    return {"deleted": sandbox.api.faults.clear(order.get("id"))}


async def webhooks(sandbox: Sandbox, order: Order) -> Order:
    webhooks, done = sandbox.webhooks, {}
    if order.get("hold"):
        webhooks.held = True
    if "flush" in order:
        if order["flush"] not in ORDERS:
            raise ValueError(f"flush must be one of {', '.join(ORDERS)}; it is {order['flush']!r}.")
        done["flushed"] = webhooks.flush(order["flush"], release=order.get("release", True))
    if order.get("retry"):
        done["retried"] = webhooks.couriers.hurry()
    if "resend" in order:
        done["resent"] = webhooks.resend(sandbox.world.store.get("event", order["resend"]))
    return webhooks.standing() | done


async def webhook_faults(sandbox: Sandbox, _: Order) -> Order:
    return {"data": sandbox.webhooks.faults.json()}


async def add_webhook_fault(sandbox: Sandbox, order: Order) -> Order:
    return sandbox.webhooks.faults.add(order).json()


async def clear_webhook_faults(sandbox: Sandbox, order: Order) -> Order:
    return {"deleted": sandbox.webhooks.faults.clear(order.get("id"))}
