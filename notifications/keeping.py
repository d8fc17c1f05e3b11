"""Which messages are old enough to leave the database."""

from __future__ import annotations

from datetime import datetime, timedelta

from jobs.archivable import Archivable
from notifications.models import Message
from notifications.states import State

KEPT = timedelta(days=400)
"""A message's key says that it was sent; without its row it would be sent again. No event comes so late."""


def _old(now: datetime, limit: int) -> list[object]:
    over = Message.objects.filter(state__in=[State.SENT, State.FAILED, State.WITHDRAWN], created_at__lt=now - KEPT)
    return list(over.order_by("created_at").values_list("pk", flat=True)[:limit])


ARCHIVABLE = Archivable(name="messages", table="notifications_message", key="uuid", due=_old)
