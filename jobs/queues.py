"""Pausing and resuming queues. A pause has an owner, so that nobody lifts another's."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from jobs.database import now as database_now
from jobs.database import rows
from jobs.kinds import unknown_queue
from jobs.maintenance.relay import ring_queue, wake
from jobs.models import QueuePause

OPERATOR = "operator"


class UnknownQueue(LookupError):
    """There is no such queue; the text names the nearest."""


def pause(queue: str, *, reason: str, owner: str = OPERATOR, by: str = "", until: datetime | None = None) -> QueuePause:
    """Let nothing new start on a queue; what runs goes on, enqueuing goes on, no attempt is spent.

    A second pause of the same owner replaces the first. `until` ends it by itself.
    Raises UnknownQueue, or ValueError without a reason.
    """
    known(queue)
    if not reason.strip():
        raise ValueError("A pause needs a reason: who finds the queue standing still will ask.")
    held, _ = QueuePause.objects.update_or_create(
        queue=queue, owner=owner, defaults={"reason": reason, "by": by, "until": until, "created_at": database_now()}
    )
    return held


def resume(queue: str, *, owner: str = OPERATOR) -> bool:
    """Lift this owner's pause; False when there was none. Its head is rung as soon as this commits.

    Raises UnknownQueue.
    """
    known(queue)
    with transaction.atomic():
        lifted, _ = QueuePause.objects.filter(queue=queue, owner=owner).delete()
        if lifted:
            wake(queue)
            transaction.on_commit(lambda: ring_queue(queue), robust=True)
    return bool(lifted)


def end_pauses_once(now: datetime) -> int:
    """Lift pauses whose time is over; returns how many."""
    with transaction.atomic():
        ended = rows("DELETE FROM jobs_queuepause WHERE until <= %s RETURNING queue", [now])
        for (queue,) in ended:
            wake(queue)
    return len(ended)


def known(queue: str) -> None:
    """Raise UnknownQueue unless the settings name it."""
    if queue not in settings.JOBS_QUEUES:
        raise UnknownQueue(unknown_queue(queue))
