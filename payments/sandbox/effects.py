"""The oracle for "exactly once": which money moved, counted by the operation that asked for it.

An effect is a succeeded charge, a transfer, a transfer reversal, a refund or a payout that was made, whatever
became of it later; what a connected account sees of a transfer is not counted again. It belongs to the operation
in its `metadata.operation_id`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from payments.sandbox.store import Record, Store

KINDS = {"charge": "deposit", "transfer": "transfer", "transfer_reversal": "reversal", "refund": "refund",
         "payout": "payout"}  # fmt: skip
UNDONE = ("failed", "canceled")


def effects(store: Store) -> dict[str, Any]:
    """By operation, those without one, and totals per type and currency (minor units)."""
    operations: dict[str, dict[str, Any]] = {}
    without: list[dict[str, Any]] = []
    totals: dict[str, dict[str, dict[str, int]]] = {}
    for record in _moved(store):
        effect = _effect(record)
        _add_up(totals, effect)
        operation = (record.data.get("metadata") or {}).get("operation_id")
        if operation is None:
            without.append(effect)
            continue
        row = operations.setdefault(operation, {"count": 0, "amount": 0, "effects": []})
        row["count"] += 1
        row["amount"] += effect["amount"]
        row["effects"].append(effect)
    return {"operations": operations, "without_operation": without, "totals": totals}


def _moved(store: Store) -> Iterator[Record]:
    for kind in KINDS:
        for record in store.all(kind):
            if record.hidden.get("derived") or (kind == "charge" and record.data["status"] != "succeeded"):
                continue
            yield record


def _effect(record: Record) -> dict[str, Any]:
    data = record.data
    return {
        "type": KINDS[record.kind], "id": record.id, "amount": data["amount"], "currency": data["currency"],
        "account": record.account, "status": data.get("status"), "created": data["created"],
    }  # fmt: skip


def _add_up(totals: dict[str, dict[str, dict[str, int]]], effect: dict[str, Any]) -> None:
    row = totals.setdefault(effect["type"], {}).setdefault(
        effect["currency"], {"count": 0, "amount": 0, "undone_count": 0, "undone_amount": 0}
    )
    row["count"] += 1
    row["amount"] += effect["amount"]
    if effect["status"] in UNDONE:
        row["undone_count"] += 1
        row["undone_amount"] += effect["amount"]
