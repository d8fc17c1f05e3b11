"""The kind for rehearsals (its crashes need a process of their own: tests/acceptance)."""

from __future__ import annotations

import pytest
from celery.exceptions import Retry

from jobs import lifecycle
from jobs.database import now
from jobs.execution import run_job
from jobs.kinds import kind_of
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, fresh, make

pytestmark = [COMMITTED, pytest.mark.usefixtures("play")]


def test_it_gives_its_payload_back() -> None:
    job = make(kind="jobs.drill", args={"payload": {"a": [1]}})
    assert run_job(kind_of("jobs.drill"), job.id) == "done"
    assert fresh(job).result == {"a": [1]}


def test_it_fails_as_often_as_it_is_told() -> None:
    job = make(kind="jobs.drill", args={"fail_times": 2})
    for failure in (1, 2):
        with pytest.raises(Retry):
            run_job(kind_of("jobs.drill"), job.id)
        assert fresh(job).error == f"drill: planned failure {failure} of 2"
        lifecycle.promote(now=now() + HOUR, limit=1)
    assert run_job(kind_of("jobs.drill"), job.id) == "done"
