"""How long a failed job waits before its next attempt."""

from __future__ import annotations

import random

JITTER = 0.1
"""Share of the delay that is random, so that jobs that failed together do not come back together."""


def exponential(*, failures: int, base: float, cap: float, spread: float | None = None) -> float:
    """Seconds before the attempt that follows failure number `failures` (1 is the first).

    `base` doubles with each failure up to `cap`, as BullMQ's exponential type does; up to JITTER of
    it is added. `spread` in [0, 1) replaces chance in tests.
    """
    if failures < 1:
        raise ValueError(f"failures counts from 1, got {failures}")
    delay = min(cap, base * 2.0 ** min(failures - 1, 62))
    return delay * (1 + JITTER * (random.random() if spread is None else spread))  # noqa: S311 - no secret
