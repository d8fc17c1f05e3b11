"""kill -9 of a whole worker: its job runs again elsewhere when the lease has run out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import pairwise

from jobs import JobHandle
from jobs.models import Attempt, Worker
from tests.acceptance.handlers import hold, walk
from tests.acceptance.history import effects, job, outcomes, wait_completed, wait_for_effect
from tests.nodes import BeatNode, WorkerNode
from tests.servers import LEASE

type Figure = Callable[[str, object], None]

DEFAULTS = {"JOBS_LEASE": "12", "JOBS_HEARTBEAT": "3", "JOBS_TICK": "1"}


def kill_and_wait(victim: WorkerNode, effect: str, *, limit: float) -> float:
    """Kill the worker; seconds until the effect is there for the second time."""
    victim.kill()
    killed = time.monotonic()
    wait_for_effect(effect, times=2, limit=limit)
    return time.monotonic() - killed


def running(handle: JobHandle, workers: Iterable[WorkerNode]) -> WorkerNode:
    """The worker that has it, or had it last."""
    pid = Worker.objects.get(pk=str(job(handle).worker)).pid
    return next(node for node in workers if node.container.pid == pid)


def never_twice_at_once(handle: JobHandle) -> bool:
    """Whether each attempt began after the one before had ended."""
    runs = list(Attempt.objects.filter(job_id=handle.id).order_by("number"))
    return all(before.finished_at <= after.started_at for before, after in pairwise(runs))


def test_the_job_of_a_killed_worker_runs_again_elsewhere_soon_after_its_lease(
    start_worker: Callable[..., WorkerNode], beat: BeatNode, figure: Figure
) -> None:
    workers = [start_worker(wait=False), start_worker()]
    handle = hold.delay(seconds=60)
    wait_for_effect("held begins")
    victim = running(handle, workers)
    again = kill_and_wait(victim, "held begins", limit=20)
    figure("worker killed, lease 2 s, again after (s)", round(again, 2))
    wait_completed([handle])
    assert again < LEASE * 2
    assert outcomes(handle) == ["crashed", "completed"]
    assert never_twice_at_once(handle)
    row = job(handle)
    assert (row.runs, row.crashes, row.failures, row.result) == (2, 1, 0, "2")
    assert running(handle, workers) is not victim


def test_with_default_settings_it_runs_again_within_15_seconds_and_a_living_job_is_left_alone(
    start_worker: Callable[..., WorkerNode], start_beat: Callable[..., BeatNode], figure: Figure
) -> None:
    start_beat(**DEFAULTS)
    victim = start_worker(**DEFAULTS)
    lost = hold.delay(seconds=60, word="lost")
    wait_for_effect("lost begins")
    start_worker(concurrency=2, **DEFAULTS)
    living = walk.delay(seconds=15, word="living")
    wait_for_effect("living begins")
    again = kill_and_wait(victim, "lost begins", limit=20)
    figure("worker killed, default lease, again after (s)", round(again, 2))
    wait_completed([lost, living])
    assert again < 15
    assert outcomes(lost) == ["crashed", "completed"]
    assert never_twice_at_once(lost)
    assert outcomes(living) == ["completed"]
    assert effects().count("living begins") == 1
