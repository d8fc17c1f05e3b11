"""What the keeper and the enqueuers read from Redis: queue lengths, and a mark that a wiped Redis loses."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from celery import current_app

EPOCH_KEY = "jobs.epoch"


@contextmanager
def _channel() -> Iterator[Any]:
    with current_app.producer_pool.acquire(block=True, timeout=2) as producer:
        yield producer.channel


def depths(queues: Iterable[str]) -> dict[str, int]:
    """Messages in Redis per queue, over all priority lists. Raises what the broker raises."""
    names = list(queues)
    with _channel() as channel:
        steps = channel.priority_steps
        pipe = channel.client.pipeline(transaction=False)
        for name in names:
            for step in steps:
                pipe.llen(channel._q_for_pri(name, step))  # noqa: SLF001 - the one place that knows kombu's key names
        lengths = pipe.execute()
    return {name: sum(lengths[i * len(steps) : (i + 1) * len(steps)]) for i, name in enumerate(names)}


def mark() -> str:
    """A text that changes when Redis was restarted, wiped or replaced: run id and a key of ours.

    The key is made when it is missing, so after a FLUSHALL the mark differs from what it was before.
    """
    with _channel() as channel:
        pipe = channel.client.pipeline(transaction=False)
        pipe.set(EPOCH_KEY, uuid.uuid4().hex, nx=True)
        pipe.get(EPOCH_KEY)
        pipe.info("server")
        _, epoch, server = pipe.execute()
    epoch = epoch.decode() if isinstance(epoch, bytes) else epoch
    return f"{server['run_id'][:16]}.{epoch}"


def ping() -> float:
    """Ask whether it is there; returns seconds. Raises what the broker raises."""
    with _channel() as channel:
        began = time.monotonic()
        channel.client.ping()
        return time.monotonic() - began


def facts() -> dict[str, Any]:
    """What INFO says of itself; empty where that command is forbidden, as some hosted ones do."""
    with _channel() as channel:
        try:
            return dict(channel.client.info())
        except channel.connection_errors:
            raise
        except Exception:  # noqa: BLE001 - forbidden, renamed or limited: every client class says it otherwise
            return {}
