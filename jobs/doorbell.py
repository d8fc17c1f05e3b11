"""The only send to Redis: a message that says "look at job X".

Arguments never pass through the broker. A ring that fails is no error: the row waits for the relay.
"""

from __future__ import annotations

import json
import logging
import math
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.conf import settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Bell:
    """One doorbell: which job, and the how-manieth for it."""

    job_id: uuid.UUID
    dispatch_no: int
    kind: str
    queue: str
    priority: int

    @property
    def task_id(self) -> str:
        """Celery's task id: each delivery is a line of its own in Flower."""
        return f"{self.job_id}.{self.dispatch_no}"


def parse_task_id(task_id: str) -> uuid.UUID | None:
    """The job behind a doorbell's task id, or None when it is not a doorbell."""
    head, dot, number = task_id.partition(".")
    if not dot or not number.isascii() or not number.isdigit():
        return None
    try:
        return uuid.UUID(head)
    except ValueError:
        return None


class Breaker:
    """Stops ringing for a moment after the first failure, so that a frozen Redis costs one time-out, once."""

    PAUSES = (2.0, 4.0, 5.0)  # seconds, by failures in a row

    def __init__(self) -> None:
        self._failures = 0
        self._shut_at = 0.0

    @property
    def open(self) -> bool:
        """Whether ringing is pointless right now."""
        return time.monotonic() < self._shut_at

    def failed(self, error: BaseException) -> None:
        """Count a failure; the first of a row is logged."""
        pause = self.PAUSES[min(self._failures, len(self.PAUSES) - 1)]
        if not self._failures:
            logger.warning("doorbell: the broker is away (%s); jobs are kept and rung when it is back", error)
        self._failures += 1
        self._shut_at = time.monotonic() + pause

    def rest(self) -> None:
        """Ring nothing until `worked` is called: tests run their jobs themselves."""
        self._shut_at = math.inf

    def worked(self) -> None:
        """Forget earlier failures."""
        if self._failures:
            logger.info("doorbell: the broker is back")
        self._failures = 0
        self._shut_at = 0.0


breaker = Breaker()

_BODY = json.dumps([[], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
_ORIGIN = f"contralock-{uuid.uuid4().hex[:8]}"
_MAX_BATCH = 500


def ring(bells: Sequence[Bell]) -> bool:
    """Publish these doorbells in one pipelined write; False when the broker could not be reached.

    Of a kind with `batch=` only as many as are needed for all of them to be run by all processes.

    After False some of them may have arrived all the same: a doubled doorbell costs nothing.
    """
    if breaker.open:
        return False
    if not bells:
        return True
    try:
        with current_app.producer_pool.acquire(block=True, timeout=2) as producer, producer.batch(_MAX_BATCH):
            for bell in folded(bells):
                _publish(producer, bell)
    except Exception as error:  # noqa: BLE001 - whatever the broker does, the caller's transaction is committed
        breaker.failed(error)
        return False
    breaker.worked()
    return True


def folded(bells: Sequence[Bell]) -> Iterator[Bell]:
    """One doorbell per batch of a kind that declares one, but enough for every process of its queue twice."""
    from jobs.kinds import REGISTRY  # a kind's task knows this module

    crowds: dict[tuple[str, str, int], list[Bell]] = {}
    for bell in bells:
        if bell.kind not in REGISTRY or REGISTRY[bell.kind].batch == 1:
            yield bell
        else:
            crowds.setdefault((bell.kind, bell.queue, bell.priority), []).append(bell)
    for (kind, queue, _), crowd in crowds.items():
        enough = max(math.ceil(len(crowd) / REGISTRY[kind].batch), 2 * settings.JOBS_QUEUES[queue]["concurrency"])
        yield from crowd[:enough]


def _publish(producer: Any, bell: Bell) -> None:
    headers = {
        "lang": "py",
        "task": bell.kind,
        "id": bell.task_id,
        "root_id": bell.task_id,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "eta": None,
        "expires": None,
        "timelimit": [None, None],
        "argsrepr": "()",
        "kwargsrepr": "{}",
        "origin": _ORIGIN,
        "ignore_result": True,
    }
    producer.publish(
        _BODY,
        routing_key=bell.queue,
        exchange="",
        content_type="application/json",
        content_encoding="utf-8",
        headers=headers,
        priority=bell.priority,
        correlation_id=bell.task_id,
        retry=False,
        delivery_mode=2,
    )
