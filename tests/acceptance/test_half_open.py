"""A link to Redis that goes silent without being cut: the worker notices by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from contralock.local.valkey import Valkey
from contralock.local.waiting import wait_until
from tests.acceptance.handlers import say
from tests.acceptance.history import outcomes, wait_completed
from tests.acceptance.wire import Wire
from tests.nodes import BeatNode, WorkerNode


def test_a_worker_on_a_dead_link_hears_again_soon(
    start_worker: Callable[..., WorkerNode], beat: BeatNode, valkey: Valkey, figure: Callable[[str, object], None]
) -> None:
    with Wire(valkey.port) as wire:
        worker = start_worker(REDIS_URL=valkey.url.replace(f":{valkey.port}/", f":{wire.port}/"))
        wait_completed([say.delay(word="before")])
        assert wire.go_silent() > 0
        silent = time.monotonic()
        handles = [say.delay(word=f"word {n}") for n in range(10)]
        wait_until(lambda: handles[-1].state == "completed", limit=60, what="a hearing worker")
        wait_completed(handles, limit=30)
        figure("dead link to Redis, all run after (s)", round(time.monotonic() - silent, 2))
        assert time.monotonic() - silent < 15
        assert all(outcomes(handle) == ["completed"] for handle in handles)
        assert worker.container.running
