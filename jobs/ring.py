"""Ringing when a transaction commits: as many doorbells as have room, all in one write."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.conf import settings
from django.db import connection, transaction

from jobs.broker import depths
from jobs.doorbell import Bell, breaker, ring
from jobs.insert import NewJob
from jobs.lifecycle import unring
from jobs.states import State
from jobs.window import window

logger = logging.getLogger(__name__)


def choose(made: Sequence[NewJob]) -> list[Bell]:
    """Mark as rung as many of the waiting rows (of one queue) as have room; the relay sees to the rest."""
    due = [row for row in made if row.state is State.WAITING]
    if not due or breaker.open:
        return []
    chosen = due[: window.take(due[0].queue, len(due), limit=settings.JOBS_WINDOW)]
    for row in chosen:
        row.rung = True
    return [row.bell() for row in chosen]


def ring_on_commit(bells: list[Bell]) -> None:
    """One hook per transaction; a new one after each savepoint, so that Django drops it with its savepoint."""
    if connection.in_atomic_block and connection.run_on_commit:
        savepoints, hook, *_ = connection.run_on_commit[-1]
        if isinstance(hook, Ring) and savepoints == set(connection.savepoint_ids):
            hook.bells += bells
            return
    transaction.on_commit(Ring(bells), robust=True)


class Ring:
    """The doorbells of one transaction (or savepoint), rung together after it committed."""

    def __init__(self, bells: list[Bell]) -> None:
        self.bells = bells

    def __call__(self) -> None:
        """Ring. Never raises: the transaction is committed, and the relay rings what did not get through."""
        try:
            fitting = _fitting(self.bells)
            if not ring(fitting):
                fitting = []
            heard = {bell.job_id for bell in fitting}
            if lost := [bell.job_id for bell in self.bells if bell.job_id not in heard]:
                unring(lost)
        except Exception:
            logger.exception("ringing %s doorbells failed; the relay rings them", len(self.bells))


def _fitting(bells: list[Bell]) -> list[Bell]:
    """The doorbells that the window has room for, asking Redis where the room was only assumed."""
    queues = {bell.queue for bell in bells if window.guessed(bell.queue)}
    if not queues or breaker.open:
        return bells
    try:
        lengths = depths(queues)
    except Exception as error:  # noqa: BLE001 - whatever the broker does, the rows are committed
        breaker.failed(error)
        return bells
    fitting = [bell for bell in bells if bell.queue not in queues]
    for queue in queues:
        mine = [bell for bell in bells if bell.queue == queue]
        room = max(0, settings.JOBS_WINDOW - lengths[queue])
        fitting += mine[:room]
        window.measured(queue, room=room - len(mine))
    return fitting
