"""A balance transaction of Stripe's: what moved, and what the books may call it.

Each stands in the books under its own id, but for two (payments/ledger/events.py): a deposit is booked before Stripe
says by which transaction, so under its charge or its PaymentIntent; and what a connected account gets of a transfer
has a transaction of its own there, while the books have one row for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from payments import gateway
from payments.gateway import Read
from payments.reconcile.sides import Side

WITH_SOURCE = {"expand": ["data.source"]}


@dataclass(frozen=True, kw_only=True)
class Move:
    """`net` and `fee` are minor units; a `net` below nothing went out. `refs` are the stripe_refs that rows may have.

    `kind`, `object_id` and `operation_id` are of the object that moved it; empty where Stripe does not say.
    `origin`: on a connected account, the platform's transfer or reversal that it is the other end of.
    """

    id: str
    side: Side
    created: int
    net: int
    fee: int
    currency: str
    category: str
    refs: frozenset[str]
    kind: str = ""
    object_id: str = ""
    operation_id: str = ""
    origin: str = ""


def moves(side: Side, *, since: int) -> Iterator[Move]:
    """What moved since then (in Stripe's seconds), newest first, the present included. Raises GatewayError."""
    params = {"created": {"gte": since}, **WITH_SOURCE}
    for found in gateway.pages(Read(what="balance_transactions", params=params, account=side.account)):
        yield move(side, found)


def read(side: Side, stripe_ref: str) -> Move | None:
    """The movement that a row of the books is about; None when Stripe moved nothing by that name. Raises GatewayError.

    Of a charge or PaymentIntent without a balance transaction nothing has moved yet.
    """
    if not stripe_ref:
        return None
    what, params = _where(stripe_ref)
    try:
        found = gateway.read(Read(what=what, id=stripe_ref, params=params, account=side.account))
    except gateway.GatewayError as error:
        if error.facts.status != 404:
            raise
        return None
    if what == "balance_transactions":
        return move(side, found)
    charge = found.get("latest_charge") if what == "payment_intents" else found
    moved = charge.get("balance_transaction") if isinstance(charge, dict) else None
    return move(side, moved | {"source": charge}) if isinstance(moved, dict) else None


def move(side: Side, found: dict[str, Any]) -> Move:
    """A balance transaction that came with its source."""
    given = found.get("source")
    source: dict[str, Any] = given if isinstance(given, dict) else {"id": str(given or "")}
    category = str(found["reporting_category"])
    incoming = category == "charge" and not source.get("source_transfer")
    payment = _id(source.get("payment_intent"))
    return Move(
        id=found["id"],
        side=side,
        created=found["created"],
        net=found["net"],
        fee=found["fee"],
        currency=found["currency"],
        category=category,
        refs=frozenset(ref for ref in (found["id"], *((source["id"], payment) if incoming else ())) if ref),
        kind=str(source.get("object") or ""),
        object_id=(payment or source["id"]) if source.get("object") == "charge" else source["id"],
        operation_id=str((source.get("metadata") or {}).get("operation_id") or ""),
        origin=_id(source.get("source_transfer")) or _id(source.get("source_transfer_reversal")),
    )


def _where(stripe_ref: str) -> tuple[str, dict[str, Any]]:
    if stripe_ref.startswith("pi_"):
        return "payment_intents", {"expand": ["latest_charge.balance_transaction"]}
    if stripe_ref.startswith(("ch_", "py_")):
        return "charges", {"expand": ["balance_transaction"]}
    return "balance_transactions", {"expand": ["source"]}


def _id(found: Any) -> str:
    return str(found["id"]) if isinstance(found, dict) else str(found or "")
