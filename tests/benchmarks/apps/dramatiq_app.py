"""dramatiq on Redis, with its default middleware."""

from __future__ import annotations

import os

import dramatiq  # type: ignore[import-not-found, unused-ignore]
from dramatiq.brokers.redis import RedisBroker  # type: ignore[import-not-found, unused-ignore]

from tests.benchmarks.apps.adders import Adders
from tests.benchmarks.apps.mark import mark

dramatiq.set_broker(RedisBroker(url=os.environ["REDIS_URL"]))


@dramatiq.actor(actor_name="noop")
def noop() -> None:
    """Do what every contender's handler does."""
    mark()


def _many(count: int) -> None:
    dramatiq.group([noop.message() for _ in range(count)]).run()


adders = Adders(one=noop.send, many=_many)
