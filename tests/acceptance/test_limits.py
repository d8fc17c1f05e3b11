"""Limits of a queue, with real workers."""

from __future__ import annotations

from collections.abc import Callable

from jobs import limits
from jobs.database import rows
from jobs.models import Job
from tests.acceptance.handlers import hold, say
from tests.acceptance.history import wait_completed, wait_for_progress
from tests.nodes import BeatNode, WorkerNode

MOST_AT_ONCE = """
SELECT max(n) FROM (SELECT sum(step) OVER (ORDER BY at, step) n FROM (
    SELECT started_at, 1 FROM jobs_attempt UNION ALL SELECT finished_at, -1 FROM jobs_attempt) e (at, step)) s
"""


def test_a_queue_with_two_places_never_runs_three_though_a_worker_is_killed(
    start_worker: Callable[..., WorkerNode], beat: BeatNode
) -> None:
    limits.limit("general", concurrency=2)
    victim = start_worker(concurrency=3, wait=False)
    start_worker(concurrency=3)
    handles = [hold.apply_async(kwargs={"seconds": 0.02, "word": f"{n}"}) for n in range(60)]
    wait_for_progress(10)
    victim.kill()
    wait_completed(handles, limit=30)
    assert rows(MOST_AT_ONCE) == [(2,)]
    assert {job.failures for job in Job.objects.all()} == {0}


def test_a_rate_is_kept_by_all_workers_together(
    start_worker: Callable[..., WorkerNode], beat: BeatNode, figure: Callable[[str, object], None]
) -> None:
    limits.limit("general", rate=10, period=1)
    start_worker(concurrency=2, wait=False)
    start_worker(concurrency=2)
    handles = [say.apply_async(kwargs={"word": f"{n}"}) for n in range(35)]
    wait_completed(handles, limit=30)
    [(starts, seconds)] = rows(
        "SELECT count(*), extract(epoch FROM max(started_at) - min(started_at)) FROM jobs_attempt"
    )
    figure("35 runs at 10 a second took (s)", round(float(seconds), 2))
    assert starts == 35, "who is refused has no attempt"
    assert seconds >= 2.9, "the fourth period began three after the first"


def test_the_next_starts_as_soon_as_a_place_is_free(
    start_worker: Callable[..., WorkerNode], beat: BeatNode, figure: Callable[[str, object], None]
) -> None:
    limits.limit("general", concurrency=1)
    start_worker(concurrency=2)
    handles = [say.apply_async(kwargs={"word": f"{n}"}) for n in range(20)]
    wait_completed(handles, limit=30)
    [(longest,)] = rows(
        "SELECT max(gap) FROM (SELECT started_at - lag(finished_at) OVER (ORDER BY started_at) gap FROM jobs_attempt) g"
    )
    figure("a place is free, the next starts after at most (s)", round(longest.total_seconds(), 3))


def test_a_lifted_limit_lets_all_start(start_worker: Callable[..., WorkerNode], beat: BeatNode) -> None:
    limits.limit("general", rate=1, period=3600)
    start_worker(concurrency=2)
    handles = [say.apply_async(kwargs={"word": f"{n}"}) for n in range(5)]
    wait_for_progress(1)
    limits.lift("general")
    wait_completed(handles)
