"""Whether a mail that waited is still wanted: who had it written is asked right before it is handed over.

A queue may be paused for days, and what a mail asks for may be done by then. Apps register for the events of theirs,
the word that a message's key begins with; messages of other events are always wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from notifications.models import Message

type Ask = Callable[[Message, datetime], str]
"""Given a message and the time: why it is no longer wanted, in words; empty when it is."""

_asked: dict[str, Ask] = {}


def register(event: str, ask: Ask) -> None:
    """Have `ask` asked about messages whose key begins with `event` and a colon."""
    _asked[event] = ask


def refusal(message: Message, *, now: datetime) -> str:
    """Why it is no longer wanted; empty when it is, or when nobody has registered for it."""
    ask = _asked.get(message.key.partition(":")[0])
    return ask(message, now) if ask else ""
