"""One call of the API, as an endpoint sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from payments.sandbox.errors import no_such
from payments.sandbox.events import emit
from payments.sandbox.params import Params
from payments.sandbox.store import Record, Store
from payments.sandbox.world import Origin, World


@dataclass(slots=True)
class Call:
    """Who asks (`account`), for what (`path`: the ids in it), with which parameters."""

    world: World
    account: str
    path: tuple[str, ...]
    params: Params
    origin: Origin
    key: str = ""  # the API key it was made with
    base: str = ""  # this server's own address, for links
    began: bool = False

    @property
    def store(self) -> Store:
        return self.world.store

    @property
    def now(self) -> int:
        """Seconds since 1970 on the local Stripe's clock."""
        return self.world.clock.now()

    def begin(self) -> None:
        """All parameters are read: refuse those nobody asked for. From here on the outcome is remembered.

        An endpoint calls this after its parameter checks and before it looks anything up.
        """
        self.params.refuse_others()
        self.began = True

    def subject(self, kind: str, what: str | None = None, *, at: int = 0) -> Record:
        """The object named in the path. Raises Refusal (404)."""
        found = self.store.find(kind, self.path[at], self.account)
        if found is None:
            raise no_such(what or kind, self.path[at], status=404)
        return found

    def named(self, kind: str, wanted: str, param: str, what: str | None = None) -> Record:
        """The object a parameter names. Raises Refusal (400)."""
        found = self.store.find(kind, wanted, self.account)
        if found is None:
            raise no_such(what or kind, wanted, param=param)
        return found

    def emit(self, record: Record, name: str, former: dict[str, Any] | None = None) -> None:
        """An event caused by this call."""
        emit(self.world, record, name, self.origin, former=former)
