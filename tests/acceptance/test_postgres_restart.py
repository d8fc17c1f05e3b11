"""PostgreSQL restarts under load: no attempt is burnt, nothing counts as crashed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.db import connection

from contralock.local.postgres import Mode, Postgres
from contralock.local.waiting import wait_until
from jobs.drill import drill
from jobs.models import Job
from tests.acceptance.handlers import query, say
from tests.acceptance.history import completions, job, outcomes, wait_completed, wait_for_effect, wait_for_progress
from tests.nodes import BeatNode, WorkerNode


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_jobs_survive_a_restart_of_postgres_without_a_burnt_attempt(
    mode: Mode, start_worker: Callable[..., WorkerNode], beat: BeatNode, postgres_server: Postgres
) -> None:
    start_worker(concurrency=2, wait=False)
    start_worker(concurrency=2)
    handles = drill.delay_many([{"sleep": 0.02}] * 500)
    for share in (100, 250):
        wait_for_progress(share)
        postgres_server.restart(mode)
        connection.close()
    wait_completed(handles, limit=40)
    assert completions(handle.id for handle in handles) == {"completed": 500}
    assert not Job.objects.exclude(failures=0, crashes=0, runs=1).exists()


def test_running_jobs_outlive_an_outage_longer_than_their_lease(
    worker: WorkerNode, beat: BeatNode, postgres_server: Postgres
) -> None:
    handle = drill.delay(sleep=0.9)
    wait_until(lambda: handle.state == "active", limit=10, what="a run")
    postgres_server.stop()
    connection.close()
    away = time.monotonic()
    wait_until(lambda: time.monotonic() - away > 3, limit=5, what="three seconds without PostgreSQL")
    postgres_server.start()
    wait_completed([handle, say.delay()])
    assert completions([handle.id]) == {"completed": 1}


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_handler_in_the_middle_of_a_query_is_run_again_and_no_attempt_is_burnt(
    mode: Mode, worker: WorkerNode, beat: BeatNode, postgres_server: Postgres
) -> None:
    handle = query.delay(seconds=30)
    wait_for_effect("query in run 1")
    postgres_server.restart(mode)
    connection.close()
    wait_completed([handle])
    assert outcomes(handle) == ["snoozed", "completed"]
    assert (job(handle).failures, job(handle).crashes) == (0, 0)
