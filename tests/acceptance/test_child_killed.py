"""kill -9 of one pool process: its main process gives the job back at once. No keeper is needed for that."""

from __future__ import annotations

import time
from collections.abc import Callable

from jobs.drill import drill
from tests.acceptance.handlers import hold, say
from tests.acceptance.history import job, outcomes, wait_completed, wait_for_effect, wait_for_state
from tests.nodes import WorkerNode


def test_the_job_of_a_killed_child_runs_again_at_once(
    worker: WorkerNode, figure: Callable[[str, object], None]
) -> None:
    delays = []
    for number in range(4):
        word = f"held {number}"
        handle = hold.delay(seconds=0.3, word=word)
        wait_for_effect(f"{word} begins")
        worker.kill_child(job(handle).worker_pid or 0)
        killed = time.monotonic()
        wait_for_effect(f"{word} begins", times=2)
        delays.append(round(time.monotonic() - killed, 2))
        wait_completed([handle])
        assert outcomes(handle) == ["crashed", "completed"]
        assert (job(handle).crashes, job(handle).failures) == (1, 0)
    figure("child killed, again after (s)", delays)
    assert max(delays) < 1.5


def test_a_job_that_kills_every_process_it_runs_in_is_failed_after_three(worker: WorkerNode) -> None:
    poison = drill.delay(crash=99)
    row = wait_for_state(poison, "failed")
    assert outcomes(poison) == ["crashed"] * 3
    assert (row.runs, row.crashes, row.failures) == (3, 3, 0)
    healthy = say.delay()
    wait_completed([healthy])
    assert outcomes(poison) == ["crashed"] * 3
