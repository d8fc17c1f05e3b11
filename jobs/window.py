"""How many doorbells may lie in Redis.

A million rows may be enqueued at once; the doorbells beyond the window are rung by the relay as room
appears. A process trusts its own count for a second before it asks Redis for the true length, so that
enqueuing one by one costs one Redis command, not two.
"""

from __future__ import annotations

import threading
import time

TRUST = 1.0
"""Seconds for which a process goes on with what it believes of a queue's room."""


class Window:
    """The room that this process believes each queue has."""

    def __init__(self) -> None:
        self._room: dict[str, int] = {}
        self._believed_at: dict[str, float] = {}
        self._guessed: set[str] = set()
        self._lock = threading.Lock()

    def take(self, queue: str, wanted: int, *, limit: int) -> int:
        """How many of `wanted` doorbells may be rung; they count as used."""
        with self._lock:
            if time.monotonic() - self._believed_at.get(queue, float("-inf")) > TRUST:
                self._room[queue] = limit
                self._believed_at[queue] = time.monotonic()
                self._guessed.add(queue)
            taken = min(self._room[queue], wanted)
            self._room[queue] -= taken
            return taken

    def guessed(self, queue: str) -> bool:
        """Whether the room was assumed, so that it must be measured before ringing."""
        return queue in self._guessed

    def measured(self, queue: str, *, room: int) -> None:
        """Note how much room is really left after the doorbells that are about to be rung."""
        with self._lock:
            self._room[queue] = max(0, room)
            self._believed_at[queue] = time.monotonic()
            self._guessed.discard(queue)


window = Window()
