"""Looking whether an effect is there, when its answer never came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from payments.gateway.calls import Effect, Read, Send
from payments.gateway.client import Found, read

PAGE = 100
"""Stripe's largest."""
SKEW = timedelta(minutes=10)
"""How far Stripe's clock may be from ours when objects are looked for by the time they were made."""


def find(call: Send, *, operation_id: str, since: datetime) -> Found | None:
    """The object that this call made for this operation, or None if Stripe lists none such.

    By what Stripe can be asked for exactly (a transfer's group, a refund's PaymentIntent, a reversal's transfer), else
    by time; then by `metadata.operation_id`. `since`: when its key was first used. "None" is no proof while the call
    may still be under way. Raises GatewayError.
    """
    for found in pages(_where(call, since)):
        if (found.get("metadata") or {}).get("operation_id") == operation_id:
            return found
    return None


def pages(query: Read) -> Iterator[Found]:
    """Every object of a list, page by page. Raises GatewayError."""
    after: dict[str, Any] = {}
    while True:
        params = {"limit": PAGE, **query.params, **after}
        page = read(Read(what=query.what, params=params, account=query.account, parent=query.parent))
        yield from page["data"]
        if not page["has_more"] or not page["data"]:
            return
        after = {"starting_after": page["data"][-1]["id"]}


def _where(call: Send, since: datetime) -> Read:
    made: dict[str, Any] = {"created": {"gte": int((since - SKEW).timestamp())}}
    match call.effect:
        case Effect.TRANSFER:
            return Read(what="transfers", params=_given(call.params, "transfer_group") or made)
        case Effect.REFUND:
            return Read(what="refunds", params=_given(call.params, "payment_intent", "charge") or made)
        case Effect.REVERSAL:
            return Read(what="transfers.reversals", parent=call.parent)
        case Effect.PAYOUT:
            return Read(what="payouts", params=made, account=call.account)
        case Effect.PAYMENT_INTENT:
            return Read(what="payment_intents", params=made)


def _given(params: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: params[name] for name in names if params.get(name)}
