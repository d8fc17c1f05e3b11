"""`/_test/…`: what a test, a demo or a developer may see and order, in JSON.

| endpoint | |
|---|---|
| GET effects | money effects by operation, without one, totals: the oracle for "exactly once" |
| GET state | clock, settings, balances, and every object by kind |
| POST reset | begin anew |
| GET, POST settings | fees, delays, conversions |
| POST advance | a move only Stripe, a bank or a person outside can make |
| POST fund | `account`, `amount`, `currency`: available balance from nowhere |
| POST hand_made | a transfer (or payout, refund) made in the Dashboard: no operation id, no key |
| GET, POST, DELETE faults | what goes wrong with calls; DELETE faults/:id withdraws one |
| GET, POST webhooks | `hold`, `flush` (an order), `retry`, `resend` (an event's id) |
| GET, POST, DELETE webhook_faults | what goes wrong with webhooks |
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from payments.sandbox import orders
from payments.sandbox.errors import Refusal
from payments.sandbox.messages import JSON, Answer, Incoming, in_json
from payments.sandbox.orders import Order
from payments.sandbox.sandbox import Sandbox

PREFIX = "/_test/"


async def answer(sandbox: Sandbox, incoming: Incoming) -> Answer:
    """Answer one order; 400 says what is wrong with it."""
    what, _, wanted = incoming.path.removeprefix(PREFIX).partition("/")
    order: Order = {"id": wanted} if wanted else {}
    run = _TABLE.get((incoming.method, what))
    if run is None:
        return in_json({"error": f"There is no {incoming.method} {incoming.path} here."}, 404)
    try:
        result = await run(sandbox, order | _read(incoming))
    except (ValueError, KeyError, TypeError) as error:
        return in_json({"error": _sentence(error)}, 400)
    except Refusal as refusal:
        return in_json(refusal.body, refusal.status)
    sandbox.commit()
    return in_json(result)


def _read(incoming: Incoming) -> Order:
    """The order. Only JSON is taken: a page elsewhere cannot send that to us."""
    if incoming.method != "POST":
        return {}
    if incoming.headers.get("Content-Type", "").partition(";")[0] != JSON:
        raise ValueError("Send the order as JSON, with Content-Type: application/json.")
    order = json.loads(incoming.body or b"{}")
    if not isinstance(order, dict):
        raise ValueError("An order is a JSON object.")
    return order


def _sentence(error: Exception) -> str:
    if isinstance(error, KeyError) and error.args and " " not in str(error.args[0]):
        return f"{error.args[0]} is missing in the order."
    return str(error.args[0]) if error.args else str(error)


_TABLE: dict[tuple[str, str], Callable[[Sandbox, Order], Awaitable[Order]]] = {
    ("GET", "effects"): orders.effects,
    ("GET", "state"): orders.state,
    ("POST", "reset"): orders.reset,
    ("GET", "settings"): orders.settings,
    ("POST", "settings"): orders.settings,
    ("POST", "advance"): orders.advance,
    ("POST", "fund"): orders.fund,
    ("POST", "hand_made"): orders.hand_made,
    ("GET", "faults"): orders.faults,
    ("POST", "faults"): orders.add_fault,
    ("DELETE", "faults"): orders.clear_faults,
    ("GET", "webhooks"): orders.webhooks,
    ("POST", "webhooks"): orders.webhooks,
    ("GET", "webhook_faults"): orders.webhook_faults,
    ("POST", "webhook_faults"): orders.add_webhook_fault,
    ("DELETE", "webhook_faults"): orders.clear_webhook_faults,
}
