"""Time as the local Stripe tells it: the machine's, plus what a test has turned it forward."""

from __future__ import annotations

import time


class Clock:
    """Seconds since 1970. `offset` is how far it has been turned forward, in seconds."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> int:
        """Whole seconds, as Stripe's `created`."""
        return int(self.exact())

    def exact(self) -> float:
        """With its fraction."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Turn it forward. Raises ValueError for a negative number: Stripe's test clocks go forward only."""
        if seconds < 0:
            raise ValueError("The clock goes forward only: give a number of seconds that is not negative.")
        self.offset += seconds
