"""The stage of the stories: pytest-celery's fixtures over local processes and the test database.

Imported by the conftest of each folder of stories. `celery_setup` gives one broker and one worker;
`start_worker` and `start_beat` add more. Whatever was started is killed when its story is over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kombu.pools
import pytest
from celery import Celery
from django.db import connection
from pytest_celery import CeleryTestSetup

from contralock.celery import app
from contralock.local.postgres import Postgres
from contralock.local.valkey import Valkey
from contralock.local.waiting import wait_until
from jobs import doorbell
from jobs.database import rows
from jobs.models import Keeper, Worker
from jobs.window import window
from tests import servers
from tests.nodes import CELERY, BeatNode, BrokerNode, Server, StoryNode, WorkerNode
from tests.process import Process

type Start[N] = Callable[..., N]

HANDLERS = "tests.acceptance.handlers"
STORY_TABLE = """
CREATE TABLE IF NOT EXISTS story (id serial, word text, at timestamptz DEFAULT clock_timestamp(), pid int);
TRUNCATE story
"""
"""Effects of the stories' handlers, in a table that the engine knows nothing of."""


# ---------------------------------------------------------------- pytest-celery's fixtures, on processes
@pytest.fixture
def celery_broker(valkey_server: Valkey) -> Iterator[BrokerNode]:
    """This test process's Valkey: empty, running, and so again afterwards whatever the story did to it."""
    node = BrokerNode(Server(valkey_server))
    _empty(valkey_server)
    _forget()
    yield node
    _empty(valkey_server)
    _forget()


@pytest.fixture
def celery_backend_cluster() -> None:
    """There is no result backend: outcomes are in the row."""


@pytest.fixture
def celery_backend_cluster_config() -> dict[str, Any]:
    return {}


@pytest.fixture
def celery_worker(start_worker: Start[WorkerNode]) -> WorkerNode:
    """The worker of `celery_setup`: queue general, one process."""
    return start_worker()


@pytest.fixture
def celery_setup_app(celery_setup_config: dict[str, Any]) -> Celery:
    """The project's own app; it was told of this broker before Django's settings were read."""
    assert app.conf.broker_url == celery_setup_config["broker_url"]
    return app


# ---------------------------------------------------------------- more nodes
@pytest.fixture
def environment(transactional_db: None) -> dict[str, str]:
    """What child processes get: this process's servers, and the test database that pytest-django made."""
    rows(STORY_TABLE)
    database = servers.postgres().url(connection.settings_dict["NAME"])
    warnings = "ignore:You're running the worker with superuser privileges"
    return {**os.environ, "DATABASE_URL": database, "PYTHONWARNINGS": warnings}


@pytest.fixture
def nodes(postgres_server: Postgres, environment: dict[str, str]) -> Iterator[list[StoryNode]]:
    """Whatever the story started. Killed before the database is flushed; their logs are shown if it failed."""
    started: list[StoryNode] = []
    yield started
    for node in started:
        node.teardown()
        print(f"\n--- {node.name()}\n{node.logs()[-6000:]}")
    postgres_server.start()
    connection.close()


@pytest.fixture
def start_worker(
    nodes: list[StoryNode], environment: dict[str, str], celery_broker: BrokerNode, tmp_path: Path
) -> Start[WorkerNode]:
    """Start a worker: its queues, `more` options, its `concurrency`, and settings by environment variables."""

    def start(
        queues: str = "general", *more: str, concurrency: int = 1, wait: bool = True, **settings: str
    ) -> WorkerNode:
        name = f"worker{len(nodes) + 1}"
        options = ("-Q", queues, "-c", str(concurrency), "-n", f"{name}@%h", "-I", HANDLERS, "-l", "INFO")
        argv = (*CELERY, "worker", *options, *more, "--without-gossip", "--without-mingle")
        process = Process(name, argv, env=environment | settings, log=tmp_path / f"{name}.log", prompt=" ready.")
        nodes.append(node := WorkerNode(process, app))
        process.start()
        if wait:
            process.ready()
            # Written by a thread of its own, perhaps after the log line: who stops the worker at once never sees it.
            wait_until(lambda: Worker.objects.filter(pid=process.pid).exists(), limit=10, what=f"the row of {name}")
        return node

    return start


@pytest.fixture
def start_beat(
    nodes: list[StoryNode], environment: dict[str, str], celery_broker: BrokerNode, tmp_path: Path
) -> Start[BeatNode]:
    """Start a keeper, with settings by environment variables."""

    def start(*, wait: bool = True, **settings: str) -> BeatNode:
        name = f"beat{len(nodes) + 1}"
        argv = (*CELERY, "beat", "--pidfile=", "--loglevel=INFO")
        process = Process(name, argv, env=environment | settings, log=tmp_path / f"{name}.log", prompt="beat: Starting")
        nodes.append(node := BeatNode(process, app))
        process.start()
        if wait:
            process.ready()
            wait_until(_has_seen_the_broker, limit=10, what="the keeper's first tick")
        return node

    return start


@pytest.fixture
def beat(start_beat: Start[BeatNode]) -> BeatNode:
    """One keeper."""
    return start_beat()


@pytest.fixture
def valkey(celery_broker: BrokerNode) -> Valkey:
    """The broker's server, to be killed, paused or wiped at will."""
    return celery_broker.valkey


@pytest.fixture
def worker(celery_setup: CeleryTestSetup) -> WorkerNode:
    """The one worker of an ordinary story."""
    node: WorkerNode = celery_setup.worker
    return node


def _has_seen_the_broker() -> bool:
    """A keeper's first look at a broker counts every doorbell before it as lost; no story is about that."""
    return Keeper.objects.exclude(epoch="").exists()


# ---------------------------------------------------------------- between two stories
def _empty(valkey: Valkey) -> None:
    valkey.resume()
    valkey.start()
    with app.connection_for_write() as broker:
        broker.default_channel.client.flushall()


def _forget() -> None:
    """What this process believes of the broker is of the last story's broker."""
    doorbell.breaker.worked()
    for belief in (window._room, window._believed_at, window._guessed):
        belief.clear()
    kombu.pools.reset()  # type: ignore[no-untyped-call]
    app._pool = app.amqp._producer_pool = None
