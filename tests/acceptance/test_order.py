"""Priorities: 0 goes first, and is overtaken only by what a worker had in hand already."""

from __future__ import annotations

from collections.abc import Callable

from tests.acceptance.handlers import hold, say
from tests.acceptance.history import effects, wait_completed, wait_for_effect
from tests.nodes import WorkerNode

LATE = [f"late {n}" for n in range(10)]


def order_of(queue: str) -> list[str]:
    """Block the queue's only process, enqueue ten jobs of priority 9 and one of 0, and see how they are run."""
    block = hold.apply_async(kwargs={"seconds": 0.7}, queue=queue)
    wait_for_effect("held begins")
    late = [say.apply_async(kwargs={"word": word}, queue=queue, priority=9) for word in LATE]
    middle = say.apply_async(kwargs={"word": "middle"}, queue=queue)
    urgent = say.apply_async(kwargs={"word": "urgent"}, queue=queue, priority=0)
    wait_completed([block, *late, middle, urgent])
    return effects()[2:]


def test_on_a_queue_without_prefetch_an_urgent_job_is_overtaken_by_nobody(
    start_worker: Callable[..., WorkerNode],
) -> None:
    start_worker("payment")
    assert order_of("payment") == ["urgent", "middle", *LATE]


def test_with_prefetch_an_urgent_job_is_overtaken_by_the_prefetched_only(
    start_worker: Callable[..., WorkerNode],
) -> None:
    start_worker("general")
    order = order_of("general")
    prefetched = order.index("urgent")
    assert prefetched <= 4
    assert order == [*LATE[:prefetched], "urgent", "middle", *LATE[prefetched:]]
