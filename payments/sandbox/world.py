"""One Stripe: clock, settings, store, and what is counted from the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from payments.sandbox import ids
from payments.sandbox.balances import Balances
from payments.sandbox.clock import Clock
from payments.sandbox.idempotency import Keys
from payments.sandbox.settings import Settings
from payments.sandbox.store import Record, Store


@dataclass(frozen=True, slots=True)
class Origin:
    """Which request caused a change; none, when Stripe itself moved. `late`: seconds its webhooks are held back."""

    request_id: str | None = None
    idempotency_key: str | None = None
    late: float = 0.0


STRIPE = Origin()


class World:
    """The state behind the server. `announce` is told every new event."""

    def __init__(self, store: Store, announce: Callable[[Record, Origin], None]) -> None:
        self.store = store
        self.announce = announce
        kept = store.find("world", "world")
        self.clock = Clock(kept.data["offset"] if kept else 0.0)
        self.settings = Settings.of(kept.data["settings"] if kept else None)
        self.keys = Keys(store, self.clock)
        self.balances = Balances(store, self.clock)

    def keep(self) -> None:
        """Have clock and settings written down with the next change."""
        data = {"id": "world", "offset": self.clock.offset, "settings": self.settings.json()}
        kept = self.store.find("world", "world")
        if kept is None:
            self.store.add("world", ids.PLATFORM, data)
        else:
            self.store.change(kept, **data)
