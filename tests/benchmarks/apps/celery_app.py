"""Celery without rows: its defaults, or tuned as far as it goes (BENCH_TUNED)."""

from __future__ import annotations

import os

from celery import Celery, group

from tests.benchmarks.apps.adders import Adders
from tests.benchmarks.apps.mark import mark

TUNED = os.environ.get("BENCH_TUNED") == "on"

app = Celery("bench", broker=os.environ["REDIS_URL"])
if TUNED:
    app.conf.update(
        # Without ack emulation a message is lost with its worker: fine for a race, not for a job.
        broker_transport_options={
            "ack_emulation": False,
            "priority_steps": list(range(10)),
            "queue_order_strategy": "priority",
        },
        worker_prefetch_multiplier=16,
        task_ignore_result=True,
        task_publish_retry=False,
    )


@app.task(name="bench.noop", ignore_result=True)
def noop() -> None:
    """Do what every contender's handler does."""
    mark()


def _many(count: int) -> None:
    if not TUNED:
        group(noop.s() for _ in range(count)).apply_async()
        return
    with app.producer_pool.acquire(block=True) as producer, producer.batch(500):
        for _ in range(count):
            noop.apply_async(producer=producer)


adders = Adders(one=noop.delay, many=_many)
