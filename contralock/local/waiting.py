"""Waiting for a condition, always with a limit."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL = 0.02  # seconds between two looks


def wait_until(condition: Callable[[], object], *, limit: float, what: str, poll: float = POLL) -> None:
    """Return as soon as `condition()` is true; raise TimeoutError naming `what` after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {limit:g} s")
        time.sleep(poll)
