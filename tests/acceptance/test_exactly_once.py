"""A handler that completes its job in the transaction of its effects: both happen, or neither."""

from __future__ import annotations

from tests.acceptance.handlers import say, settle
from tests.acceptance.history import effects, job, outcomes, wait_completed
from tests.nodes import WorkerNode


def test_an_effect_and_its_completion_are_committed_together(worker: WorkerNode) -> None:
    handle = settle.delay()
    wait_completed([handle])
    assert (outcomes(handle), job(handle).result) == (["completed"], {"run": 1})
    assert effects() == ["settled in run 1"]


def test_killed_right_after_the_commit_it_is_not_run_again(worker: WorkerNode) -> None:
    handle = settle.delay(die="after")
    wait_completed([handle])
    wait_completed([say.delay(word="by the next process")])
    assert (outcomes(handle), job(handle).runs, job(handle).crashes) == (["completed"], 1, 0)
    assert effects() == ["settled in run 1", "by the next process"]


def test_killed_before_the_commit_the_effect_is_undone_and_it_runs_again(worker: WorkerNode) -> None:
    handle = settle.delay(die="before")
    wait_completed([handle])
    assert (outcomes(handle), job(handle).result) == (["crashed", "completed"], {"run": 2})
    assert effects() == ["settled in run 2"]
