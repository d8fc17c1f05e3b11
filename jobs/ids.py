"""Job ids: UUIDv7 (RFC 9562), so that ids sort by the time of their making."""

from __future__ import annotations

import os
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0
os.register_at_fork(after_in_child=lambda: globals().update(_last=0, _lock=threading.Lock()))


def uuid7() -> uuid.UUID:
    """A new UUIDv7, later than every one this process made before.

    48 bits of milliseconds, then a 42-bit counter that starts at random in each millisecond and only
    rises, then 32 random bits. The standard library has one from Python 3.14 on; it is not used
    there, so that ids are made alike everywhere.
    """
    global _last
    with _lock:
        fresh = time.time_ns() // 1_000_000 << 42 | int.from_bytes(os.urandom(5))
        _last = fresh if fresh > _last else _last + 1
        stamp, counter = _last >> 42, _last & (1 << 42) - 1
    tail = int.from_bytes(os.urandom(4))
    return uuid.UUID(
        int=stamp << 80 | 7 << 76 | (counter >> 30) << 64 | 2 << 62 | (counter & (1 << 30) - 1) << 32 | tail
    )
