"""Stripe's own moves for a developer who watches: what `/_test/advance` makes in tests happens by itself, soon."""

from __future__ import annotations

import asyncio

from payments.sandbox.cards import Behaviour
from payments.sandbox.resources import outcomes, payouts, refunds
from payments.sandbox.sandbox import Sandbox
from payments.sandbox.world import World

TICK = 0.5  # seconds
NEXT = {"pending": "in_transit", "in_transit": "paid"}
REFUND_FAILS = 10  # seconds after which a refund to such a test card fails


async def run(sandbox: Sandbox) -> None:
    """Make the moves that are due, until cancelled."""
    while True:
        await asyncio.sleep(TICK)
        move(sandbox.world)
        sandbox.commit()


def move(world: World) -> None:
    """One round."""
    _payouts(world)
    _refunds(world)
    for intent in world.store.all("payment_intent"):
        if intent.data["status"] == "processing":
            outcomes.succeed(world, intent)


def _payouts(world: World) -> None:
    for record in world.store.all("payout"):
        to = NEXT.get(record.data["status"])
        if to is None or record.hidden["moved_at"] + world.settings.payout_seconds > world.clock.now():
            continue
        bank = world.store.find("bank_account", record.data["destination"])
        fails = bank.hidden.get("fails") if bank else None
        if to == "paid" and fails:
            payouts.move(world, record, "failed", fails)
        else:
            payouts.move(world, record, to)


def _refunds(world: World) -> None:
    refunds.retry_unfunded(world)
    for record in world.store.all("refund"):
        age = world.clock.now() - record.data["created"]
        if record.hidden.get("derived") or age < world.settings.payout_seconds:
            continue
        if record.data["pending_reason"] == "processing":
            refunds.succeed(world, record)
        charge = world.store.get("charge", record.data["charge"])
        fails = Behaviour.of(charge.hidden["behaviour"]).refund == "failed"
        if fails and record.data["status"] == "succeeded" and age >= REFUND_FAILS:
            refunds.fail(world, record)
