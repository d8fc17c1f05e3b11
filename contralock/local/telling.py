"""How the stories of `make run` are told: one line per event, with the seconds since their start."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

LIMIT = 30.0  # seconds each step may take


class Lost(RuntimeError):
    """A step did not happen within its limit; the message says which and where to look."""


class Teller:
    """Says what happens, and waits for it."""

    def __init__(self) -> None:
        self.site = os.environ.get("LOCAL_SITE_URL", "http://localhost:8000")
        self.began = time.monotonic()

    def say(self, line: str) -> None:
        """One line."""
        print(f"{time.monotonic() - self.began:5.2f} s  {line}", flush=True)

    def until[Found](self, look: Callable[[], Found | None], otherwise: str) -> Found:
        """What `look` finds, as soon as it finds something. Raises Lost."""
        deadline = time.monotonic() + LIMIT
        while (found := look()) is None:
            if time.monotonic() > deadline:
                raise Lost(f"after {LIMIT:g} s {otherwise}")
            time.sleep(0.02)
        return found
