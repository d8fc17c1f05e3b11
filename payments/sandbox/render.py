"""Records as Stripe shows them: a few fields are counted when they are asked for."""

from __future__ import annotations

from typing import Any

from payments.sandbox.store import Record
from payments.sandbox.world import World


def show(world: World, record: Record) -> dict[str, Any]:
    """The object's JSON, with ids where Stripe has ids."""
    shown = dict(record.data)
    if record.kind == "balance_transaction":
        shown["status"] = "available" if shown["available_on"] <= world.clock.now() else "pending"
    elif record.kind == "account":
        shown["external_accounts"] = external_accounts(world, record.id)
    elif record.kind == "transfer":
        shown["reversals"] = listed(
            [show(world, one) for one in _children(world, "transfer_reversal", record, "transfer")],
            f"/v1/transfers/{record.id}/reversals",
        )
    elif record.kind == "dispute":
        moves = (world.store.any(move) for move in record.hidden.get("moves", ()))
        shown["balance_transactions"] = [show(world, move) for move in moves if move]
    return shown


def external_accounts(world: World, account: str) -> dict[str, Any]:
    """The bank accounts of a connected account, as its embedded list."""
    banks = [show(world, bank) for bank in world.store.all("bank_account", account)]
    return listed(banks, f"/v1/accounts/{account}/external_accounts")


def listed(objects: list[dict[str, Any]], url: str) -> dict[str, Any]:
    """An embedded list: the first ten, and how many there are."""
    return {
        "object": "list",
        "data": objects[:10],
        "has_more": len(objects) > 10,
        "total_count": len(objects),
        "url": url,
    }


def _children(world: World, kind: str, parent: Record, field: str) -> list[Record]:
    """Newest first. Parents without children, nearly all, cost nothing."""
    if not parent.hidden.get("children"):
        return []
    return [one for one in world.store.newest_first(kind, parent.account) if one.data[field] == parent.id]
