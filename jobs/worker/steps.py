"""Bootsteps: what a worker's main process does for the engine beside Celery's own work."""

from __future__ import annotations

import logging
from heapq import heapify
from typing import Any

from celery import bootsteps
from celery.signals import worker_shutting_down
from celery.worker.state import active_requests, reserved_requests

from jobs.doorbell import parse_task_id
from jobs.maintenance.relay import ring_jobs
from jobs.worker.identity import boot
from jobs.worker.presence import PresenceThread

logger = logging.getLogger(__name__)

EVENT_FLUSH = 0.25
"""Seconds; events for Flower are sent together that often. Sent one by one they halve the throughput."""
POOL_LOOK = 0.5
"""Seconds; how soon a dead child is noticed. Billiard's own timer looks every 5."""

TIMER_SWEEP = 5.0
"""Seconds; how long the time limits of ended runs stay in memory (400 bytes each; without a sweep 15 minutes)."""

_unstarted: list[str] = []


@worker_shutting_down.connect(weak=False)
def remember_unstarted(**_: Any) -> None:
    """Note which doorbells were taken from Redis and not started: Celery forgets them on its way down."""
    _unstarted[:] = [request.id for request in set(reserved_requests) - set(active_requests)]
    if PresenceThread.running:
        PresenceThread.running.say_stopping()


class Presence(bootsteps.StartStopStep):
    """The worker's row, and a clean leave: what it had taken and not started is rung again."""

    requires = ("celery.worker.components:Pool",)

    def start(self, parent: Any) -> None:
        """Start once the children are forked."""
        boot.concurrency = parent.concurrency
        self.thread = PresenceThread()
        self.thread.start()

    def stop(self, parent: Any) -> None:
        """Leave."""
        self.thread.stop()
        ids = [job_id for task_id in _unstarted if (job_id := parse_task_id(task_id))]
        try:
            ring_jobs(ids, queues=boot.queues)
        except Exception as error:  # noqa: BLE001 - on the way out; the relay rings them
            logger.warning("%s unstarted jobs are left to the relay: %s", len(ids), error)

    terminate = stop


def sweep(timer: Any) -> int:
    """Throw cancelled entries out of a kombu timer; returns how many there were.

    Each run has a hard time limit, cancelled when it ends; kombu only marks it then and keeps it, with all
    that it refers to, until it would have been due. In place, because the timer's loop holds the list.
    """
    queue = timer._queue  # noqa: SLF001 - has no public name
    before = len(queue)
    queue[:] = [event for event in queue if not event.entry.canceled]
    heapify(queue)
    return before - len(queue)


class PoolWatch(bootsteps.StartStopStep):
    """Look for dead children twice a second, and keep the timer small."""

    requires = ("celery.worker.components:Hub", "celery.worker.components:Pool")

    def start(self, parent: Any) -> None:
        """Add two timers to the worker's event loop."""
        parent.hub.call_repeatedly(POOL_LOOK, parent.pool._pool.maintain_pool)  # noqa: SLF001 - has no public name
        parent.hub.call_repeatedly(TIMER_SWEEP, sweep, parent.hub.timer)


class EventFlush(bootsteps.StartStopStep):
    """Send task events in bunches, not at every turn of the loop."""

    requires = ("celery.worker.consumer.events:Events",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self.timer: Any = None

    def start(self, parent: Any) -> None:
        """Take the flushing over from the dispatcher; called again after each reconnect."""
        self.stop(parent)
        dispatcher = parent.event_dispatcher
        if dispatcher is None or parent.hub is None:
            return
        dispatcher.on_send_buffered = None
        dispatcher.buffer_limit = 1000

        def flush() -> None:
            try:
                dispatcher.flush()
            except Exception as error:  # noqa: BLE001 - the consumer notices a lost broker by itself
                logger.debug("events wait: %s", error)

        self.timer = parent.timer.call_repeatedly(EVENT_FLUSH, flush)

    def stop(self, parent: Any) -> None:
        """Drop the timer of a connection that is gone."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
