"""Cancelling: at once before the start, at the next checkpoint while it runs."""

from __future__ import annotations

import time

from jobs import lifecycle
from tests.acceptance.handlers import say, walk
from tests.acceptance.history import effects, job, outcomes, wait_completed, wait_for_effect, wait_for_state
from tests.nodes import BeatNode, WorkerNode


def test_a_running_job_stops_at_its_next_checkpoint(worker: WorkerNode) -> None:
    handle = walk.delay(seconds=60)
    wait_for_effect("walked begins")
    assert lifecycle.cancel(handle.id, reason="no longer wanted") == "active"
    asked = time.monotonic()
    wait_for_state(handle, "cancelled", limit=5)
    assert time.monotonic() - asked < 1
    assert outcomes(handle) == ["cancelled"]
    wait_completed([say.delay(word="next")])
    assert effects() == ["walked begins", "next"]


def test_a_delayed_job_and_a_waiting_one_are_cancelled_at_once_and_never_run(
    worker: WorkerNode, beat: BeatNode
) -> None:
    delayed = say.apply_async(kwargs={"word": "delayed"}, countdown=0.5)
    assert lifecycle.cancel(delayed.id, reason="no longer wanted") == "cancelled"
    block = walk.delay(seconds=1)
    wait_for_effect("walked begins")
    waiting = say.delay(word="waiting")
    assert lifecycle.cancel(waiting.id, reason="no longer wanted") == "cancelled"
    last = say.apply_async(kwargs={"word": "last"}, countdown=0.6)
    wait_completed([block, last])
    assert (delayed.state, waiting.state, job(waiting).runs) == ("cancelled", "cancelled", 0)
    assert effects() == ["walked begins", "walked ends", "last"]
