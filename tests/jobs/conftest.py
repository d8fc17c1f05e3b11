"""Fixtures of the engine's tests: the broker as this process sees it, and a stage for handlers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import hypothesis
import kombu
import pytest
from celery.exceptions import Retry

from contralock.celery import app
from contralock.local.valkey import Valkey
from jobs import JobContext, doorbell, heartbeat
from jobs.broker import mark
from jobs.database import now, rows
from jobs.execution import JobFailed, run_job
from jobs.kinds import kind_of
from jobs.maintenance import pulse
from jobs.models import Job
from jobs.window import Window, window
from tests.jobs import zoo
from tests.jobs.rows import HOUR, fresh, make

hypothesis.settings.register_profile("busy machine", deadline=None, max_examples=50)
hypothesis.settings.load_profile("busy machine")

type Play = Callable[..., Job]


class Broker:
    """This test process's Valkey, and what lies in it."""

    def __init__(self, server: Valkey) -> None:
        self.server = server

    def client(self) -> Any:
        """kombu's own client."""
        return app.connection_for_write().default_channel.client

    def messages(self, queue: str = "general", *, priority: int | None = None) -> list[dict[str, Any]]:
        """Messages of a queue (of one priority list), next to be delivered first."""
        channel = app.connection_for_write().default_channel
        steps = range(10) if priority is None else [priority]
        lists = [channel.client.lrange(channel._q_for_pri(queue, step), 0, -1) for step in steps]
        channel.connection.client.close()
        return [json.loads(text) for found in lists for text in reversed(found)]

    def task_ids(self, queue: str = "general", *, priority: int | None = None) -> list[str]:
        """The Celery task ids of these messages."""
        return [message["headers"]["id"] for message in self.messages(queue, priority=priority)]

    def empty(self) -> None:
        """Forget everything, as an operator's FLUSHALL does."""
        with app.connection_for_write() as to_server:
            to_server.default_channel.client.flushall()


def forget_broker() -> None:
    """What this process believes of the broker is of the last test's broker."""
    app.set_current()
    doorbell.breaker.worked()
    window.__dict__.update(Window().__dict__)
    kombu.pools.reset()  # type: ignore[no-untyped-call]
    app._pool = app.amqp._producer_pool = None


@pytest.fixture(autouse=True)
def _own_beliefs() -> Iterator[None]:
    forget_broker()
    yield
    doorbell.breaker.worked()


@pytest.fixture
def broker(valkey_server: Valkey) -> Iterator[Broker]:
    """The broker: running and empty, whatever the last test did to it."""
    valkey_server.resume()
    valkey_server.start()
    found = Broker(valkey_server)
    found.empty()
    forget_broker()
    yield found
    valkey_server.resume()
    valkey_server.start()


@pytest.fixture
def known(broker: Broker) -> Broker:
    """A broker that the keeper has seen before."""
    pulse.begin(now())
    pulse.note_epoch(mark(), now=now() - 24 * HOUR)
    return broker


@pytest.fixture(scope="session")
def _heartbeats_end(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Heartbeat threads never end and keep their connections: end those before the database is dropped."""
    yield
    with django_db_blocker.unblock():
        rows(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def heart(_heartbeats_end: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> heartbeat.Heart:
    """A quick heart of the test's own."""
    settings.JOBS_HEARTBEAT = 0.1
    own = heartbeat.Heart()
    monkeypatch.setattr(heartbeat, "heart", own)
    return own


@pytest.fixture
def play(_heartbeats_end: None) -> Iterator[Play]:
    """`play(part)` runs a job whose handler is `part` and returns its row; `play(part, job)` runs that job."""

    def run(part: Callable[[JobContext], Any], job: Job | None = None, **fields: Any) -> Job:
        job = job or make(**fields)
        zoo.stage.part = part
        with suppress(Retry, JobFailed):
            run_job(kind_of(job.kind), job.id)
        return fresh(job)

    zoo.stage.calls.clear()
    yield run
    zoo.stage.part = lambda _: None
