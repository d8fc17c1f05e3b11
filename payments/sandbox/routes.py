"""The table of endpoints: method, path, what runs, and the kind of object it answers with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from payments.sandbox.call import Call
from payments.sandbox.lists import Page, listing
from payments.sandbox.resources import (
    accounts,
    balance,
    banks,
    charges,
    customers,
    disputes,
    payment_intents,
    payment_methods,
    payouts,
    refunds,
    reversals,
    transfers,
    webhook_endpoints,
)
from payments.sandbox.resources.edits import retrieving
from payments.sandbox.store import Record

Endpoint = Callable[[Call], Record | Page | dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint and the ids that stood in its path."""

    run: Endpoint
    kind: str
    ids: tuple[str, ...] = ()


def _resource(name: str, kind: str, module: Any, verbs: str) -> list[tuple[str, str, Endpoint, str]]:
    """The usual rows: create, list, retrieve, update, delete, and `/:id/verb` for the rest."""
    usual = {
        "create": ("POST", f"/v1/{name}"), "listed": ("GET", f"/v1/{name}"), "retrieve": ("GET", f"/v1/{name}/:id"),
        "update": ("POST", f"/v1/{name}/:id"), "delete": ("DELETE", f"/v1/{name}/:id"),
    }  # fmt: skip
    rows = []
    for verb in verbs.split():
        method, path = usual.get(verb, ("POST", f"/v1/{name}/:id/{verb}"))
        rows.append((method, path, getattr(module, verb), kind))
    return rows


_CRUD = "create listed retrieve update"
TABLE: list[tuple[str, str, Endpoint, str]] = [
    *_resource("customers", "customer", customers, f"{_CRUD} delete"),
    *_resource("payment_methods", "payment_method", payment_methods, "create listed update attach detach"),
    ("GET", "/v1/payment_methods/:id", retrieving("payment_method", "PaymentMethod"), "payment_method"),
    *_resource("payment_intents", "payment_intent", payment_intents, f"{_CRUD} confirm cancel"),
    *_resource("charges", "charge", charges, "listed retrieve update"),
    *_resource("refunds", "refund", refunds, f"{_CRUD} cancel"),
    *_resource("transfers", "transfer", transfers, _CRUD),
    ("POST", "/v1/transfers/:id/reversals", reversals.create, "transfer_reversal"),
    ("GET", "/v1/transfers/:id/reversals", reversals.listed, "transfer_reversal"),
    ("GET", "/v1/transfers/:id/reversals/:id", reversals.retrieve, "transfer_reversal"),
    ("POST", "/v1/transfers/:id/reversals/:id", reversals.update, "transfer_reversal"),
    *_resource("payouts", "payout", payouts, f"{_CRUD} cancel"),
    *_resource("accounts", "account", accounts, f"{_CRUD} delete"),
    ("GET", "/v1/account", accounts.retrieve_own, "account"),
    ("POST", "/v1/account_links", accounts.link, "account_link"),
    ("POST", "/v1/accounts/:id/external_accounts", banks.create, "bank_account"),
    ("GET", "/v1/accounts/:id/external_accounts", banks.listed, "bank_account"),
    ("GET", "/v1/accounts/:id/external_accounts/:id", banks.retrieve, "bank_account"),
    ("POST", "/v1/accounts/:id/external_accounts/:id", banks.update, "bank_account"),
    ("DELETE", "/v1/accounts/:id/external_accounts/:id", banks.delete, "bank_account"),
    ("GET", "/v1/balance", balance.retrieve, "balance"),
    ("GET", "/v1/balance_settings", balance.settings, "balance_settings"),
    ("POST", "/v1/balance_settings", balance.update_settings, "balance_settings"),
    ("GET", "/v1/balance_transactions", balance.transactions, "balance_transaction"),
    ("GET", "/v1/balance_transactions/:id", balance.retrieve_transaction, "balance_transaction"),
    ("GET", "/v1/events", listing("event", "type"), "event"),
    ("GET", "/v1/events/:id", retrieving("event"), "event"),
    *_resource("disputes", "dispute", disputes, "listed retrieve update close"),
    *_resource("webhook_endpoints", "webhook_endpoint", webhook_endpoints, f"{_CRUD} delete"),
]


def _tree() -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for method, path, run, kind in TABLE:
        node = tree
        for step in path.strip("/").split("/"):
            node = node.setdefault(step, {})
        node[f"{method} "] = (run, kind)
    return tree


_TREE = _tree()


def find(method: str, path: str) -> Route | None:
    """The endpoint for a request; None when there is none."""
    node, found = _TREE, []
    for step in path.strip("/").split("/"):
        if step in node and not step.endswith(" "):
            node = node[step]
        elif ":id" in node and step:
            node = node[":id"]
            found.append(step)
        else:
            return None
    row = node.get(f"{method} ")
    return Route(row[0], row[1], tuple(found)) if row else None
