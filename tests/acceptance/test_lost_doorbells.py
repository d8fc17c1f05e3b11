"""A doorbell may get lost, or come more than once."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from contralock.local.waiting import wait_until
from jobs import doorbell
from jobs.broker import depths
from jobs.doorbell import Bell, ring
from tests.acceptance.handlers import say
from tests.acceptance.history import effects, job, outcomes, wait_completed
from tests.nodes import BeatNode, WorkerNode


def test_a_commit_whose_doorbell_was_lost_is_rung_by_the_keeper(
    worker: WorkerNode, beat: BeatNode, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str, object], None]
) -> None:
    monkeypatch.setattr(doorbell, "_publish", lambda producer, bell: None)
    handle = say.delay()
    assert job(handle).published_at is not None
    began = time.monotonic()
    wait_completed([handle])
    figure("lost doorbell, run after (s)", round(time.monotonic() - began, 2))
    row = job(handle)
    assert (row.runs, row.dispatch_no, outcomes(handle)) == (1, 2, ["completed"])


def test_a_commit_that_could_not_ring_is_rung_by_the_next_tick(
    worker: WorkerNode, beat: BeatNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(producer: object, bell: Bell) -> None:
        raise ConnectionError("away")

    monkeypatch.setattr(doorbell, "_publish", refuse)
    handle = say.delay()
    began = time.monotonic()
    wait_completed([handle])
    assert time.monotonic() - began < 1.5


def test_fifty_doorbells_for_one_job_make_one_run(
    start_worker: Callable[..., WorkerNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    start_worker(concurrency=2, wait=False)
    start_worker(concurrency=2)
    publish = doorbell._publish
    monkeypatch.setattr(doorbell, "_publish", lambda producer, bell: [publish(producer, bell) for _ in range(50)])
    handle = say.delay(word="once")
    monkeypatch.undo()
    wait_completed([handle])
    wait_until(lambda: depths(["general"]) == {"general": 0}, limit=10, what="an empty queue")
    last = say.delay(word="last")
    wait_completed([last])
    assert effects() == ["once", "last"]
    assert (job(handle).runs, outcomes(handle)) == (1, ["completed"])


def test_a_doorbell_for_a_job_that_is_gone_disturbs_nobody(worker: WorkerNode) -> None:
    handle = say.delay(word="first")
    wait_completed([handle])
    row = job(handle)
    bell = Bell(job_id=row.id, dispatch_no=9, kind=row.kind, queue=row.queue, priority=row.priority)
    row.delete()
    assert ring([bell])
    wait_completed([say.delay(word="second")])
    assert effects() == ["first", "second"]
