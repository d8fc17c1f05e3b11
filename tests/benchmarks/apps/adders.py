"""How an app adds jobs, in the form that the driver asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Adders:
    """Adds no-op jobs. `None` where a contender has nothing of the kind."""

    one: Callable[[], object]
    """One job, in autocommit where there is a database."""
    many: Callable[[int], object]
    """So many jobs, by the fastest way that its manual shows."""
    transaction: Callable[[int], object] | None = None
    """So many jobs, one by one, inside one database transaction."""
