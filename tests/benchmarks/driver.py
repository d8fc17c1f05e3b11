"""Adds jobs on order, in a process of its own: `python -m tests.benchmarks.driver APP_MODULE`.

Orders come as JSON lines on stdin (`{"order": "each", "n": 400}`), answers go to stdout
(`{"seconds": 0.9, "ms": null}`). bullmq.cjs speaks the same.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module

from tests.benchmarks.apps.adders import Adders
from tests.benchmarks.apps.mark import STARTED, client

PER_TRANSACTION = 10
"""Jobs in one transaction."""
IDLE = 0.005
"""Seconds between two samples of latency, so that the worker is idle again."""


def _each(adders: Adders, count: int) -> None:
    for _ in range(count):
        adders.one()


def _transactions(adders: Adders, count: int) -> None:
    assert adders.transaction is not None
    for _ in range(count // PER_TRANSACTION):
        adders.transaction(PER_TRANSACTION)


def _many(adders: Adders, count: int) -> None:
    adders.many(count)


def _latency(adders: Adders, count: int) -> list[float]:
    """Milliseconds from the call that adds a job to the first line of its handler, one job at a time."""
    found = []
    for _ in range(count):
        began = time.time()
        adders.one()
        answer = client().blpop([STARTED], timeout=10)
        if answer is None:
            raise TimeoutError("a job was not started within 10 s")
        found.append((float(answer[1]) - began) * 1000)
        time.sleep(IDLE)
    return found


ORDERS: dict[str, Callable[[Adders, int], list[float] | None]] = {
    "each": _each,
    "transactions": _transactions,
    "many": _many,
    "latency": _latency,
}


def main(module: str) -> None:
    """Serve orders until stdin ends."""
    if "DJANGO_SETTINGS_MODULE" in os.environ:
        import django

        django.setup()
    adders: Adders = import_module(module).adders
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        began = time.perf_counter()
        ms = ORDERS[order["order"]](adders, order["n"])
        print(json.dumps({"seconds": time.perf_counter() - began, "ms": ms}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
