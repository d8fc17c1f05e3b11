"""Many jobs under one doorbell, by real workers: what one of them does to its process is not done to the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from jobs.models import Attempt, Job
from tests.acceptance.handlers import crowd, say
from tests.acceptance.history import (
    completions,
    effects,
    job,
    outcomes,
    wait_completed,
    wait_for_progress,
    wait_for_state,
)
from tests.nodes import BeatNode, WorkerNode

COUNT = 400
ODD = 50
"""The number of the one that misbehaves; by then the process takes many at once."""


def test_a_poison_job_in_a_crowd_fails_alone(start_worker: Callable[..., WorkerNode], beat: BeatNode) -> None:
    start_worker(concurrency=2)
    handles = crowd.delay_many([{"number": n, "poison": n == ODD} for n in range(COUNT)])
    poison = handles.pop(ODD)
    row = wait_for_state(poison, "failed")
    wait_completed(handles)
    assert outcomes(poison) == ["crashed"] * 3
    assert (row.crashes, row.failures) == (3, 0)
    bystanders = Job.objects.filter(pk__in=[handle.id for handle in handles], crashes__gt=0)
    assert bystanders.count() < crowd.kind.batch
    assert not bystanders.exclude(crashes=1).exists(), "after its first crash the poison ran alone"
    assert completions(handle.id for handle in handles)["completed"] == COUNT - 1


def test_one_that_runs_into_its_limit_takes_nothing_from_the_others(
    start_worker: Callable[..., WorkerNode], beat: BeatNode
) -> None:
    start_worker(concurrency=1)
    handles = crowd.delay_many([{"number": n, "endless": n == ODD} for n in range(COUNT)])
    endless = handles.pop(ODD)
    row = wait_for_state(endless, "failed")
    wait_completed(handles)
    assert outcomes(endless) == ["timed out"]
    assert row.crashes == 0
    assert completions(handle.id for handle in handles) == {"completed": COUNT - 1}
    assert set(Counter(effects()).values()) == {1}, "nobody ran twice"


def test_a_worker_asked_to_leave_in_the_middle_of_a_crowd_loses_and_doubles_nothing(
    start_worker: Callable[..., WorkerNode], beat: BeatNode
) -> None:
    leaver = start_worker(concurrency=2, wait=False)
    start_worker()
    handles = crowd.delay_many([{"number": n, "sleep": 0.01} for n in range(COUNT)])
    wait_for_progress(50)
    assert leaver.stop(limit=15) == 0
    wait_completed(handles, limit=30)
    assert completions(handle.id for handle in handles) == {"completed": COUNT}
    assert set(Counter(effects()).values()) == {1}


def test_a_crowd_costs_few_messages_and_each_of_it_has_its_own_attempt(
    worker: WorkerNode, beat: BeatNode, figure: Callable[[str, object], None]
) -> None:
    handles = crowd.delay_many([{"number": n} for n in range(COUNT)])
    wait_completed(handles)
    assert Attempt.objects.filter(outcome="completed").values("job").distinct().count() == COUNT
    assert [job(handle).result for handle in handles] == list(range(COUNT))
    figure("folded, 400 jobs by one process (s)", round(_span(), 2))
    wait_completed([say.delay()])


def _span() -> float:
    ended = Job.objects.order_by("finished_at").values_list("finished_at", flat=True)
    first, last = ended[0], ended[len(ended) - 1]
    assert first is not None
    assert last is not None
    return (last - first).total_seconds()
