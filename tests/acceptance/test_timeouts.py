"""A run past its time limit is stopped by ending its process; the pool gets a new one."""

from __future__ import annotations

from collections.abc import Callable

from jobs.models import Attempt
from tests.acceptance.handlers import oversleep, say
from tests.acceptance.history import effects, outcomes, wait_completed, wait_for_state
from tests.nodes import BeatNode, WorkerNode


def test_a_job_past_its_limit_is_stopped_tried_again_and_failed(
    worker: WorkerNode, beat: BeatNode, figure: Callable[[str, object], None]
) -> None:
    [child] = worker.children()
    handle = oversleep.delay()
    row = wait_for_state(handle, "failed")
    first, second = Attempt.objects.filter(job_id=handle.id).order_by("number")
    assert outcomes(handle) == ["timed out", "timed out"]
    assert (row.runs, row.failures, row.crashes) == (2, 2, 0)
    assert "ran longer than 1 s" in row.error
    assert "time.sleep(seconds)" in first.traceback
    ran = [(attempt.finished_at - attempt.started_at).total_seconds() for attempt in (first, second)]
    figure("limit 1 s, stopped after (s)", [round(seconds, 2) for seconds in ran])
    assert max(ran) < 2
    wait_completed([say.delay(word="alive")])
    assert effects() == ["sleeps", "sleeps", "alive"]
    assert first.worker_pid == child
    assert second.worker_pid != child
    assert worker.container.running
