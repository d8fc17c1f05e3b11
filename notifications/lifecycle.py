"""Every way a message may change. Each change is guarded by what its caller last saw, and says whether it won.

The guard is (state, sending_since): a worker that lost its lease cannot undo what its successor began.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from notifications.models import Message
from notifications.states import State


def begin(message: Message, *, resends: int, now: datetime) -> bool:
    """The mail server is about to be given the mail: from here on it is in doubt. `resends` counts this try too."""
    return _move(message, state=State.SENDING, sending_since=now, resends=resends, error="")


def put_back(message: Message, *, error: str) -> bool:
    """The mail server did not take it; it may be sent again."""
    if message.state == State.UNKNOWN:  # this try came to nothing; the one before may still have arrived
        return _move(message, error=error)
    return _move(message, state=State.QUEUED, error=error)


def fail(message: Message, *, error: str) -> bool:
    """Given up. A message whose first try may have arrived stays unknown."""
    if message.state == State.UNKNOWN:
        return _move(message, error=error)
    return _move(message, state=State.FAILED, error=error)


def withdraw(message: Message, *, why: str) -> bool:
    """What it was about is over before the mail server was given it: it is never sent."""
    if message.state not in (State.QUEUED, State.FAILED):
        return False
    return _move(message, state=State.WITHDRAWN, error=why, sealed="")


def doubt(message: Message, *, error: str) -> bool:
    """The mail was handed over, and nobody knows what became of it."""
    return _move(message, state=State.UNKNOWN, error=error)


def sent(message: Message, *, reply: str, now: datetime) -> bool:
    """The mail server took it. True whoever says so: also a worker that has lost its lease meanwhile."""
    mine = Message.objects.filter(pk=message.pk).exclude(state=State.SENT)
    return _apply(mine, message, state=State.SENT, sent_at=now, server_reply=reply, error="", sealed="")


def _move(message: Message, **changes: Any) -> bool:
    seen = Message.objects.filter(pk=message.pk, state=message.state, sending_since=message.sending_since)
    return _apply(seen, message, **changes)


def _apply(rows: Any, message: Message, **changes: Any) -> bool:
    """Change the row and, if that won, the object in hand."""
    won: bool = rows.update(**changes) == 1
    if won:
        for name, value in changes.items():
            setattr(message, name, value)
    return won
