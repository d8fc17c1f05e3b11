"""The one point where the engine says what happens; logs listen, and whoever adds a listener."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

logger = logging.getLogger("jobs")

type Listener = Callable[[str, dict[str, Any]], None]

_LEVELS = {
    "failed": logging.ERROR,
    "timed out": logging.ERROR,
    "unknown": logging.ERROR,
    "failed, will retry": logging.WARNING,
    "crashed": logging.WARNING,
    "lease lost": logging.WARNING,
}


def to_log(event: str, facts: dict[str, Any]) -> None:
    """One line per event, facts as key=value."""
    level = _LEVELS.get(event, logging.INFO)
    logger.log(level, "%s %s", event, " ".join(f"{name}={value}" for name, value in facts.items()))


listeners: list[Listener] = [to_log]


def emit(event: str, **facts: Any) -> None:
    """Tell every listener; one that fails is logged and disturbs nobody."""
    for listener in listeners:
        try:
            listener(event, facts)
        except Exception:
            logger.exception("a listener failed on %s", event)


@contextmanager
def muted() -> Iterator[None]:
    """Tell nobody while the block runs: what is rolled back has not happened."""
    kept = listeners[:]
    listeners.clear()
    try:
        yield
    finally:
        listeners[:] = kept
