"""Webhooks: which endpoint hears of an event, and the orders a test can give about that.

Stripe delivers at least once and in no particular order, and tries again for days
(docs.stripe.com/webhooks#retries). What goes wrong on purpose is in webhook_faults.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from payments.sandbox import ids
from payments.sandbox.couriers import ENDPOINT, KIND, Couriers
from payments.sandbox.store import Record
from payments.sandbox.webhook_faults import Spoil, WebhookFaults
from payments.sandbox.world import Origin, World

ORDERS = ("first", "reverse", "random")


class Webhooks:
    """Makes a delivery of every event for every endpoint that wants it. `held`: they are parked until `flush`."""

    def __init__(self, world: Callable[[], World], commit: Callable[[], None]) -> None:
        self._world = world
        self._parked: list[str] = []
        self.held = False
        self.faults = WebhookFaults()
        self.couriers = Couriers(world, commit)

    def announce(self, event: Record, origin: Origin) -> None:
        """A new event."""
        spoil = self.faults.strike(event.data["type"])
        for one in [event, *(self._twin(event) for _ in range(spoil.twins))]:
            wanting = [] if spoil.drop else list(self._endpoints(one))
            if wanting:
                self._world().store.change(one, pending_webhooks=len(wanting))
            for endpoint in wanting:
                self._deliver(one, endpoint, spoil, origin.late)

    def resend(self, event: Record) -> int:
        """Deliver again, as `stripe events resend`; to how many endpoints."""
        wanting = list(self._endpoints(event))
        for endpoint in wanting:
            self._deliver(event, endpoint, Spoil(), 0.0)
        return len(wanting)

    def flush(self, order: str = "first", *, release: bool = True) -> int:
        """Send what is parked, in this order; `release`: and hold no more. How many."""
        parked, self._parked = self._parked, []
        if order == "reverse":
            parked.reverse()
        elif order == "random":
            random.shuffle(parked)
        self.held = self.held and not release
        store, now = self._world().store, self._world().clock.exact()
        for wanted in parked:
            record = store.find(KIND, wanted)
            if record is not None:
                store.change(record, due=max(now, record.data["due"]))
                self.couriers.queue(record)
        return len(parked)

    def standing(self) -> dict[str, Any]:
        """What waits, what is parked, and the last attempts."""
        attempts = list(self.couriers.attempts)
        return {"held": self.held, "waiting": self.couriers.waiting, "parked": len(self._parked), "attempts": attempts}

    async def forget(self) -> None:
        """Begin anew: no deliveries, no faults."""
        await self.couriers.forget()
        self._parked, self.held = [], False
        self.faults.clear()

    def _endpoints(self, event: Record) -> Iterable[Record]:
        """A Connect endpoint hears the connected accounts, any other its own account."""
        for endpoint in self._world().store.all(ENDPOINT):
            own = endpoint.account == event.account and not endpoint.hidden["connect"]
            connected = endpoint.hidden["connect"] and event.account != ids.PLATFORM
            wants = {"*", event.data["type"]} & set(endpoint.data["enabled_events"])
            if (own or connected) and wants and endpoint.data["status"] == "enabled":
                yield endpoint

    def _twin(self, event: Record) -> Record:
        """A second Event object for the same fact, as Stripe says can happen (docs.stripe.com/webhooks)."""
        return self._world().store.add("event", event.account, event.data | {"id": ids.new("evt")})

    def _deliver(self, event: Record, endpoint: Record, spoil: Spoil, late: float) -> None:
        world = self._world()
        due = world.clock.exact() + late + spoil.delay
        data = {"id": ids.new("whd"), "event": event.id, "endpoint": endpoint.id, "attempt": 1, "due": due}
        record = world.store.add(KIND, endpoint.account, data, spoil=spoil.json())
        if self.held:
            self._parked.append(record.id)
        else:
            self.couriers.queue(record)
