"""Faults ordered by `POST /_test/faults`: what can go wrong between a client and Stripe.

| kind | what the client sees | the effect happens |
|---|---|---|
| drop_before, hang_before | connection closed; silence for `seconds`, then closed | no |
| drop_after, hang_after | the same | yes |
| half_body | half of the answer, then closed | yes |
| html | a page with `status` (502) instead of JSON | if `effect` |
| server_error | 500 api_error, remembered under the key if `saved` (as Stripe does) | if `effect` |
| rate_limit, lock_timeout | 429, before the endpoint runs | no |
| conflict | 409 idempotency_key_in_use | no |
| unauthorized, forbidden | 401; 403 | no |
| error | `status`, `type`, `code`, `message`; remembered under the key if `saved` | no |
| slow | an answer after `latency_ms`; the effect comes after the wait, also when the client has gone | yes |
| stall | the same, after the order was withdrawn; until then the call is under way and its key in use | yes |

A `slow` or `stall` rule goes together with one of the others. `late_webhook` (seconds, of the local Stripe's clock)
holds the events of a server_error, drop_after or hang_after back: Stripe sends webhooks for objects nobody saw in an
answer (docs.stripe.com/error-low-level).
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from payments.sandbox.errors import Refusal
from payments.sandbox.idempotency import in_use
from payments.sandbox.rules import Rule, rule

EDGE = {"drop_before", "hang_before", "rate_limit", "lock_timeout", "unauthorized", "forbidden"}
AFTER = {"drop_after", "hang_after", "half_body"}
LATE = {"slow", "stall"}
KINDS = EDGE | AFTER | LATE | {"html", "server_error", "conflict", "error"}
FIELDS = {"method", "path", "operation_id", "seconds", "latency_ms", "effect", "saved", "status", "code", "type",
          "message", "late_webhook", "should_retry"}  # fmt: skip
HANG = 30.0  # seconds, longer than a client's patience
SHOULD_RETRY = "Stripe-Should-Retry"


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request. An empty `kind` is a request that goes well."""

    kind: str = ""
    details: dict[str, Any] | None = None
    latency: float = 0.0  # seconds before the effect
    stall: Rule | None = None  # the effect waits as long as this is ordered

    def get(self, name: str, default: Any = None) -> Any:
        """A detail of the order."""
        return (self.details or {}).get(name, default)

    @property
    def effect(self) -> bool:
        """Whether the endpoint runs."""
        return self.kind in ("", *AFTER) or bool(self.get("effect"))


class Faults:
    """The orders, in the order they were given; the first that fits a request strikes."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._number = 0

    def add(self, order: dict[str, Any]) -> Rule:
        """Take an order. Raises ValueError that says what is wrong with it."""
        made = rule(self._number + 1, order, KINDS, FIELDS)
        if made.kind == "server_error" and order.get("effect") and not order.get("saved", True):
            raise ValueError("Stripe remembers a 500 that had an effect: saved=false goes with effect=false only.")
        self._number += 1
        self._rules.append(made)
        return made

    def json(self) -> list[dict[str, Any]]:
        """All orders, with what they have done."""
        return [one.json() for one in self._rules]

    def ordered(self, one: Rule | None) -> bool:
        """Whether this order has not been withdrawn."""
        return any(one is rule for rule in self._rules)

    def clear(self, wanted: str | None = None) -> int:
        """Withdraw one order, or all; how many there were."""
        before = len(self._rules)
        self._rules = [one for one in self._rules if wanted not in (None, one.id)]
        return before - len(self._rules)

    def strike(self, method: str, path: str, params: dict[str, Any]) -> Fault:
        """What goes wrong with this request."""
        latency, stall, chosen = 0.0, None, None
        for one in self._rules:
            if one.spent or not _fits(one.details, method, path, params):
                continue
            if one.kind == "slow" and one.strikes():
                latency += one.details.get("latency_ms", 200) / 1000
            elif one.kind == "stall" and stall is None and one.strikes():
                stall = one
            elif one.kind not in LATE and chosen is None and one.strikes():
                chosen = one
        return Fault(chosen.kind if chosen else "", chosen.details if chosen else None, latency, stall)


def refuse(fault: Fault, key: str) -> Refusal | None:
    """The refusal of a fault that answers before the idempotency layer."""
    if fault.kind == "rate_limit":
        return Refusal(429, "Request rate limit exceeded.", code="rate_limit",
                       headers={"Stripe-Rate-Limited-Reason": "endpoint-rate"} | retry_header(fault))  # fmt: skip
    if fault.kind == "lock_timeout":
        message = "This object cannot be accessed right now because another API request is currently accessing it."
        return Refusal(429, message, code="lock_timeout", headers=retry_header(fault, default=True))
    if fault.kind == "unauthorized":
        return Refusal(401, f"Invalid API Key provided: {fault.get('message', 'sk_test_****')}")
    if fault.kind == "forbidden":
        message = fault.get("message", "The provided key does not have the required permissions for this endpoint.")
        return Refusal(403, message, code=fault.get("code"))
    if fault.kind == "server_error" and not fault.get("saved", True):
        return server_error(fault)
    if fault.kind == "conflict":
        return in_use(key)
    return None


def server_error(fault: Fault) -> Refusal:
    """500. A remembered one would only be replayed, so it tells the client not to retry, as Stripe's do."""
    saved = fault.get("saved", True)
    message = fault.get("message", "An unknown error occurred")
    return Refusal(500, message, kind="api_error", headers=retry_header(fault, default=False if saved else None))


def ordered_error(fault: Fault) -> Refusal:
    """The refusal of an order of kind `error`."""
    return Refusal(fault.get("status", 400), fault.get("message", "An error was ordered."), code=fault.get("code"),
                   kind=fault.get("type", "invalid_request_error"), headers=retry_header(fault))  # fmt: skip


def retry_header(fault: Fault, default: bool | None = None) -> dict[str, str]:
    """`Stripe-Should-Retry`, if the order or its kind has an opinion."""
    wanted = fault.get("should_retry", default)
    return {} if wanted is None else {SHOULD_RETRY: "true" if wanted else "false"}


def _fits(order: dict[str, Any], method: str, path: str, params: dict[str, Any]) -> bool:
    if order.get("method", method) != method or not fnmatchcase(path, order.get("path", "/v1/*")):
        return False
    wanted = order.get("operation_id")
    metadata = params.get("metadata")
    return wanted is None or (isinstance(metadata, dict) and metadata.get("operation_id") == wanted)
