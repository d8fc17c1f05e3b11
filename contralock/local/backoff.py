"""How long to wait before a dead child is started again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class RestartBackoff:
    """0.5, 1, 2, … 10 seconds; a life of 30 seconds is a new beginning."""

    first: float = 0.5  # seconds
    cap: float = 10.0  # seconds
    healthy_after: float = 30.0  # seconds
    deaths: int = 0

    def next(self, lived: float) -> float:
        """Seconds until the next start, after a life of `lived` seconds."""
        self.deaths = 1 if lived >= self.healthy_after else self.deaths + 1
        return min(self.cap, self.first * 2.0 ** min(self.deaths - 1, 30))
