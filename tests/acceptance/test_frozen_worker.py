"""A worker that stands still past its lease is a zombie: when it wakes, nothing it writes counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contralock.local.waiting import wait_until
from jobs.kinds import JobFunction
from tests.acceptance.handlers import hold, walk
from tests.acceptance.history import effects, job, outcomes, wait_completed, wait_for_effect
from tests.nodes import BeatNode, WorkerNode


def freeze_past_the_lease(
    kind: JobFunction[..., str], start_worker: Callable[..., WorkerNode], zombie: WorkerNode, seconds: float
) -> None:
    """Run a job on `zombie`, freeze that, let another worker complete the job, and thaw it until it gave up."""
    handle = kind.delay(seconds=seconds)
    word = "walked" if kind is walk else "held"
    wait_for_effect(f"{word} begins")
    zombie.pause()
    start_worker()
    wait_completed([handle])
    second = job(handle)
    assert outcomes(handle) == ["crashed", "completed"]
    zombie.resume()
    wait_until(lambda: "lease lost" in zombie.logs(), limit=10, what="the zombie's own insight")
    after = job(handle)
    assert outcomes(handle) == ["crashed", "completed"]
    assert (after.state, after.result, after.runs, after.crashes) == ("completed", "2", 2, 1)
    assert (after.finished_at, after.worker) == (second.finished_at, second.worker)


@pytest.mark.usefixtures("beat")
def test_a_thawed_worker_is_stopped_at_its_next_checkpoint(
    worker: WorkerNode, start_worker: Callable[..., WorkerNode], beat: BeatNode
) -> None:
    freeze_past_the_lease(walk, start_worker, worker, seconds=60)
    assert "LeaseLost" in worker.logs()
    assert effects() == ["walked begins", "walked begins", "walked ends"]


@pytest.mark.usefixtures("beat")
def test_a_thawed_worker_without_checkpoints_cannot_finish_what_another_has_finished(
    worker: WorkerNode, start_worker: Callable[..., WorkerNode]
) -> None:
    freeze_past_the_lease(hold, start_worker, worker, seconds=4)
    assert effects() == ["held begins", "held begins", "held ends", "held ends"]
