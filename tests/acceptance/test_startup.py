"""Workers and keepers may be started before their servers are there."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

from contralock.local.postgres import Postgres
from contralock.local.valkey import Valkey
from contralock.local.waiting import wait_until
from tests.acceptance.handlers import say
from tests.acceptance.history import wait_completed
from tests.nodes import BeatNode, WorkerNode


def test_started_without_redis_they_wait_for_it(
    start_worker: Callable[..., WorkerNode], start_beat: Callable[..., BeatNode], valkey: Valkey
) -> None:
    valkey.kill()
    handle = say.delay()
    worker = start_worker(wait=False)
    start_beat(wait=False)
    wait_until(lambda: "Cannot connect to redis" in worker.logs(), limit=20, what="the worker's complaint")
    valkey.start()
    wait_completed([handle])


def test_started_without_postgres_they_wait_for_it(
    start_worker: Callable[..., WorkerNode], start_beat: Callable[..., BeatNode], postgres_server: Postgres
) -> None:
    postgres_server.stop()
    connection.close()
    worker = start_worker(wait=False)
    beat = start_beat(wait=False)
    wait_until(lambda: "could not say that it is alive" in worker.logs(), limit=20, what="the worker's complaint")
    wait_until(lambda: "PostgreSQL is away" in beat.logs(), limit=20, what="the keeper's complaint")
    postgres_server.start()
    wait_completed([say.delay(), say.apply_async(kwargs={}, countdown=0.5)])


def test_a_worker_leaves_while_postgres_is_away(worker: WorkerNode, postgres_server: Postgres) -> None:
    wait_completed([say.delay()])
    postgres_server.stop()
    connection.close()
    assert worker.stop(limit=10) == 0
