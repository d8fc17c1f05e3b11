"""Idempotency keys, as docs.stripe.com/api/idempotent_requests and docs.stripe.com/error-low-level have them.

Remembered per account: status and body of the first call once its endpoint began to run, 500s and refusals
included. Not remembered: refused parameters, 401, 409, 429. Keys are forgotten 24 hours after their first use,
and a call under a forgotten key is a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from payments.sandbox.clock import Clock
from payments.sandbox.errors import Refusal, invalid
from payments.sandbox.store import Record, Store

KIND = "idempotency"
KEY_LIMIT = 255  # characters
LIFETIME = 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class Slot:
    """What a key is compared by: who used it, for which endpoint, with which parameters."""

    account: str
    key: str
    endpoint: str
    params: dict[str, Any]

    @property
    def id(self) -> str:
        return f"{self.account}/{self.key}"


class Keys:
    """The keys in use and the outcomes remembered under them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._running: set[str] = set()

    def enter(self, slot: Slot) -> Record | None:
        """Take the key for a call that is about to run, or give the outcome remembered under it.

        Raises Refusal: 409 while another call holds the key, 400 when it was first used for something else.
        """
        if len(slot.key) > KEY_LIMIT:
            raise invalid(f"Idempotency keys have at most {KEY_LIMIT} characters; yours has {len(slot.key)}.")
        if slot.id in self._running:
            raise in_use(slot.key)
        found = self._store.find(KIND, slot.id)
        if found is not None and found.data["created"] + LIFETIME <= self._clock.now():
            self._store.remove(found)
            found = None
        if found is None:
            self._running.add(slot.id)
            return None
        _compare(slot, found.data)
        return found

    def remember(self, slot: Slot, status: int, body: Any, request_id: str) -> None:
        """Keep what this call is answered."""
        data = {"id": slot.id, "created": self._clock.now(), "endpoint": slot.endpoint, "params": slot.params}
        self._store.add(KIND, slot.account, data | {"status": status, "body": body, "request_id": request_id})

    def leave(self, slot: Slot) -> None:
        """The call is over; the key can be used again."""
        self._running.discard(slot.id)

    def prune(self) -> int:
        """Forget keys older than 24 hours; how many."""
        horizon = self._clock.now() - LIFETIME
        old = [record for record in self._store.all(KIND) if record.data["created"] <= horizon]
        for record in old:
            self._store.remove(record)
        return len(old)


def in_use(key: str) -> Refusal:
    """409: another call under this key has not ended."""
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {key}. Please try again later."
    )
    return Refusal(409, message, code="idempotency_key_in_use")


def _compare(slot: Slot, first: dict[str, Any]) -> None:
    if first["endpoint"] != slot.endpoint:
        same = f"for the same endpoint they were first used for ('{first['endpoint']}')"
    elif first["params"] != slot.params:
        same = "with the same parameters they were first used with"
    else:
        return
    message = (
        f"Keys for idempotent requests can only be used {same}. Try using a key other than '{slot.key}' "
        "if you meant to execute a different request."
    )
    raise Refusal(400, message, kind="idempotency_error")
