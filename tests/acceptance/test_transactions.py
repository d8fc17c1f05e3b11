"""A job belongs to the transaction that wrote it."""

from __future__ import annotations

import contextlib

from django.db import transaction

from jobs.models import Job
from tests.acceptance.handlers import say
from tests.acceptance.history import effects, job, outcomes, wait_completed
from tests.nodes import WorkerNode


class Undo(Exception):
    """Rolls back."""


def test_a_committed_job_runs_once(worker: WorkerNode) -> None:
    with transaction.atomic():
        handle = say.delay(word="committed")
        assert handle.state == "waiting"
    wait_completed([handle])
    row = job(handle)
    assert (row.runs, row.failures, row.crashes, row.result) == (1, 0, 0, "committed")
    assert outcomes(handle) == ["completed"]
    assert effects() == ["committed"]


def test_a_rolled_back_transaction_and_a_rolled_back_savepoint_run_nothing(worker: WorkerNode) -> None:
    with contextlib.suppress(Undo), transaction.atomic():
        say.delay(word="rolled back")
        raise Undo
    with transaction.atomic():
        before = say.delay(word="before")
        with contextlib.suppress(Undo), transaction.atomic():
            say.delay(word="in the savepoint")
            raise Undo
        after = say.delay(word="after")
    wait_completed([before, after])
    last = say.delay(word="last")
    wait_completed([last])
    assert Job.objects.count() == 3
    assert sorted(effects()) == ["after", "before", "last"]
