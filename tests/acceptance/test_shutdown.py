"""SIGTERM: a worker leaves soon, and what it had in hand is done by others at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from signal import SIGQUIT, SIGTERM

import pytest

from jobs.drill import drill
from jobs.models import Job, Worker
from tests.acceptance.handlers import hold, say, walk
from tests.acceptance.history import (
    completions,
    effects,
    job,
    outcomes,
    wait_completed,
    wait_for_effect,
    wait_for_progress,
)
from tests.nodes import BeatNode, WorkerNode

type Figure = Callable[[str, object], None]


def test_a_worker_asked_to_leave_under_load_leaves_soon_and_loses_nothing(
    start_worker: Callable[..., WorkerNode], beat: BeatNode, figure: Figure
) -> None:
    leaver = start_worker(concurrency=2, wait=False)
    start_worker()
    handles = drill.delay_many([{"sleep": 0.02}] * 300)
    wait_for_progress(50)
    asked = time.monotonic()
    assert leaver.stop(limit=15) == 0
    left_after = time.monotonic() - asked
    figure("worker SIGTERM under load (s)", round(left_after, 2))
    assert left_after < 10
    assert Worker.objects.get(pid=leaver.container.pid).stopped_at is not None
    wait_completed(handles, limit=30)
    assert completions(handle.id for handle in handles) == {"completed": 300}
    assert not Job.objects.exclude(failures=0, crashes=0, runs=1).exists()


def test_what_a_leaving_worker_had_not_started_is_run_elsewhere_while_it_still_works(
    start_worker: Callable[..., WorkerNode], beat: BeatNode, figure: Figure
) -> None:
    leaver = start_worker()
    long = hold.delay(seconds=5, word="long")
    wait_for_effect("long begins")
    prefetched = [say.delay(word=f"short {n}") for n in range(4)]
    start_worker()
    assert all(job(handle).runs == 0 for handle in prefetched)
    leaver.container.signal("SIGTERM")
    asked = time.monotonic()
    wait_completed(prefetched, limit=10)
    figure("unstarted jobs of a leaving worker done after (s)", round(time.monotonic() - asked, 2))
    assert time.monotonic() - asked < 2
    assert "long ends" not in effects()
    wait_completed([long], limit=10)
    assert leaver.container.wait(10) == 0
    assert outcomes(long) == ["completed"]


def test_a_long_job_is_released_at_a_checkpoint_and_runs_elsewhere(
    worker: WorkerNode, start_worker: Callable[..., WorkerNode], beat: BeatNode, figure: Figure
) -> None:
    handle = walk.delay(seconds=60)
    wait_for_effect("walked begins")
    start_worker()
    asked = time.monotonic()
    assert worker.stop(limit=10) == 0
    figure("worker SIGTERM with a long job (s)", round(time.monotonic() - asked, 2))
    wait_completed([handle])
    row = job(handle)
    assert outcomes(handle) == ["released", "completed"]
    assert (row.runs, row.failures, row.crashes, row.result) == (2, 0, 0, "2")


@pytest.mark.parametrize("stop", ["SIGTERM to the whole group, as systemd does", "SIGQUIT"])
def test_a_handler_that_is_interrupted_by_a_stop_spends_no_attempt_and_runs_elsewhere(
    stop: str, worker: WorkerNode, start_worker: Callable[..., WorkerNode], beat: BeatNode
) -> None:
    handle = hold.delay(seconds=60)
    wait_for_effect("held begins")
    start_worker()
    if stop == "SIGQUIT":
        worker.container.signal(SIGQUIT)
    else:
        worker.container.signal_group(SIGTERM)
    wait_completed([handle])
    row = job(handle)
    assert outcomes(handle) == ["released", "completed"]
    assert (row.runs, row.failures, row.crashes, row.result) == (2, 0, 0, "2")
    worker.container.wait(10)
