"""The one thing that every contender's handler does: one Redis command that says when it was started."""

from __future__ import annotations

import os
import time
from functools import cache

import redis  # noqa: TID251 - the bench measures with it, beside what it measures

STARTED = "bench:started"
"""A list in Redis: the wall clock (seconds) at which each handler began."""


@cache
def client() -> redis.Redis:
    """This process's own connection, made with its first job."""
    return redis.Redis.from_url(os.environ["REDIS_URL"])


def mark() -> None:
    """Say when this handler was started."""
    client().rpush(STARTED, repr(time.time()))
