"""`expand[]`: ids replaced by the objects they name (docs.stripe.com/api/expanding_objects)."""

from __future__ import annotations

from typing import Any

from payments.sandbox.errors import Refusal, invalid
from payments.sandbox.render import listed, show
from payments.sandbox.world import World

DEPTH = 4  # levels, as Stripe has it
ANY = "*"
_MONEY = {"balance_transaction": "balance_transaction", "failure_balance_transaction": "balance_transaction"}
# Which fields of which object name another, and of what kind that is.
FIELDS: dict[str, dict[str, str]] = {
    "payment_intent": {"latest_charge": "charge", "customer": "customer", "payment_method": "payment_method"},
    "charge": _MONEY | {
        "payment_intent": "payment_intent", "customer": "customer", "refunds": "refund", "source_transfer": "transfer"
    },
    "refund": _MONEY | {"charge": "charge", "payment_intent": "payment_intent"},
    "transfer": _MONEY | {
        "destination": "account", "destination_payment": "charge", "source_transaction": "charge",
        "reversals": "transfer_reversal",
    },
    "transfer_reversal": _MONEY | {"transfer": "transfer", "destination_payment_refund": "refund"},
    "payout": _MONEY | {"destination": "bank_account"},
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "balance_transaction": {"source": ANY},
    "payment_method": {"customer": "customer"},
}  # fmt: skip


def check(kind: str, paths: list[str], *, in_list: bool) -> None:
    """Raise Refusal for a path that leads nowhere, before anything is done."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEPTH:
            raise invalid(f"You cannot expand more than {DEPTH} levels of a property. Property: {path}", "expand")
        if in_list:
            if steps[0] != "data" or len(steps) == 1:
                raise _leads_nowhere(path)
            steps = steps[1:]
        _walk(kind, steps, path)


def _walk(kind: str, steps: list[str], path: str) -> None:
    for step in steps:
        if kind == ANY or step == "data":
            continue
        if step not in FIELDS.get(kind, {}):
            raise _leads_nowhere(path)
        kind = FIELDS[kind][step]


def _leads_nowhere(path: str) -> Refusal:
    return invalid(f"This property cannot be expanded ({path}).", "expand")


def expand(world: World, shown: dict[str, Any], paths: list[str]) -> None:
    """Replace in place, along paths that were checked; ids of what is not there stay ids."""
    for path in paths:
        _along(world, shown, path.split("."))


def _along(world: World, shown: dict[str, Any], steps: list[str]) -> None:
    first, rest = steps[0], steps[1:]
    if shown.get("object") == "list" and first == "data":
        for one in shown["data"]:
            _along(world, one, rest)
        return
    value = _opened(world, shown, first)
    if value is not None:
        shown[first] = value
    if rest and isinstance(value, dict):
        _along(world, value, rest)


def _opened(world: World, shown: dict[str, Any], name: str) -> Any:
    if (shown.get("object"), name) == ("charge", "refunds") and name not in shown:  # left out unless asked for
        parts = [show(world, one) for one in world.store.all("refund") if one.data["charge"] == shown["id"]]
        return listed(parts[::-1], f"/v1/charges/{shown['id']}/refunds")
    value = shown.get(name)
    found = world.store.any(value) if isinstance(value, str) else None
    return value if found is None else show(world, found)
