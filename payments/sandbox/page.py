"""The page at `/`: accounts, balances, the latest objects. Read-only, nothing from elsewhere, everything escaped."""

from __future__ import annotations

import time
from html import escape
from typing import Any

from payments.sandbox import currencies
from payments.sandbox.messages import HTML, Answer
from payments.sandbox.store import Record
from payments.sandbox.world import World

SHOWN = 20  # objects of a kind
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action *; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1a1f36}"
    "table{border-collapse:collapse;width:100%;margin:0 0 2rem}th,td{text-align:left;padding:.25rem .6rem;"
    "border-bottom:1px solid #e3e8ee;vertical-align:top}td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "code{font-size:.9em}h2{margin:1.5rem 0 .5rem}button{font:inherit;padding:.4rem 1rem}"
    "@media(prefers-color-scheme:dark){body{background:#14171f;color:#e3e8ee}th,td{border-color:#333a48}}"
)
KINDS = {
    "payment_intent": ("amount", "currency", "status", "description"),
    "transfer": ("amount", "currency", "destination", "transfer_group"),
    "transfer_reversal": ("amount", "currency", "transfer"),
    "refund": ("amount", "currency", "status", "payment_intent"),
    "payout": ("amount", "currency", "status", "failure_code"),
    "dispute": ("amount", "currency", "status", "charge"),
    "event": ("type", "pending_webhooks"),
}


def answer(world: World) -> Answer:
    """The page."""
    parts = ["<h1>Local Stripe</h1>", f"<p>Its clock says {_moment(world.clock.now())}.</p>", _accounts(world)]
    parts += [_latest(world, kind, fields) for kind, fields in KINDS.items()]
    return Answer(200, frame("Local Stripe", "".join(parts)).encode(), HTML, dict(HEADERS))


def frame(title: str, body: str) -> str:
    """An HTML document around a body that is HTML already."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>{body}</body></html>'
    )


def _accounts(world: World) -> str:
    rows = [
        [account.id, account.data["email"] or "", account.data["type"], _standing(account), currency,
         _money(world.balances.available(account.id, currency), currency),
         _money(world.balances.pending(account.id, currency), currency)]
        for account in world.store.all("account")
        for currency in world.balances.currencies(account.id) or [account.data["default_currency"]]
    ]  # fmt: skip
    return "<h2>Accounts</h2>" + _table(["account", "email", "type", "", "currency", "available", "pending"], rows)


def _standing(account: Record) -> str:
    if account.hidden["gone"]:
        return "access taken away"
    return "payouts enabled" if account.data["payouts_enabled"] else "not onboarded"


def _latest(world: World, kind: str, fields: tuple[str, ...]) -> str:
    found = world.store.all(kind)
    if not found:
        return ""
    rows = [
        [_moment(one.data["created"]), one.id, one.account, *(_shown(one, name) for name in fields), _operation(one)]
        for one in found[: -SHOWN - 1 : -1]
    ]
    title = f"<h2>{escape(kind.replace('_', ' ').capitalize())}s: {len(found)}</h2>"
    return title + _table(["created", "id", "account", *fields, "operation"], rows)


def _shown(record: Record, name: str) -> Any:
    value = record.data.get(name)
    return _money(value, record.data["currency"]) if name == "amount" else value


def _operation(record: Record) -> str:
    return str((record.data.get("metadata") or {}).get("operation_id", ""))


def _money(amount: Any, currency: str) -> str:
    return currencies.words(amount, currency)


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def _table(heads: list[str], rows: list[list[Any]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    lines = ("".join(f"<td>{escape('' if cell is None else str(cell))}</td>" for cell in row) for row in rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
