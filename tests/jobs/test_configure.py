"""A worker's size and prefetch come from its queues' settings."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import billiard.pool
import pytest
from celery.concurrency.solo import TaskPool as SoloPool
from django.core.exceptions import ImproperlyConfigured

from contralock.celery import app
from jobs.worker.configure import configure
from jobs.worker.identity import boot

QUEUES = {
    "email": {"concurrency": 3, "prefetch": 16},
    "payment": {"concurrency": 2, "prefetch": 1},
    "invoice": {"concurrency": 2, "prefetch": 1},
    "general": {"concurrency": 1, "prefetch": 4},
}


@pytest.fixture(autouse=True)
def _own_boot(settings: Any) -> Iterator[None]:
    settings.JOBS_QUEUES = QUEUES
    kept, limit = vars(boot).copy(), billiard.pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT
    yield
    boot.__dict__.update(kept)
    billiard.pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = limit


def configured(**options: Any) -> Any:
    conf = SimpleNamespace(
        broker_transport_options=dict(app.conf.broker_transport_options),
        worker_concurrency=None,
        worker_prefetch_multiplier=4,
        worker_disable_prefetch=False,
    )
    configure(sender="w@h", instance=None, conf=conf, options=options)
    return conf


@pytest.mark.parametrize(
    ("queues", "concurrency", "prefetch"),
    [
        ("email", 3, 16),
        ("payment", 2, 1),
        ("general", 1, 4),
        ("email,general", 4, 4),
        ("email, payment", 5, 1),
        (["email", "general"], 4, 4),
        (None, 8, 1),
    ],
)
def test_size_and_prefetch_come_from_the_queues(queues: Any, concurrency: int, prefetch: int) -> None:
    conf = configured(queues=queues)
    assert (conf.worker_concurrency, conf.worker_prefetch_multiplier) == (concurrency, prefetch)
    assert conf.worker_disable_prefetch is (prefetch == 1)


def test_what_the_command_line_says_is_respected() -> None:
    conf = configured(queues="payment", concurrency=7, prefetch_multiplier=3)
    assert (conf.worker_concurrency, conf.worker_prefetch_multiplier) == (None, 4), "left to Celery"
    assert conf.worker_disable_prefetch is False


def test_a_worker_waits_longer_for_redis_than_a_web_request() -> None:
    options = configured().broker_transport_options
    assert (options["socket_timeout"], options["ack_emulation"]) == (5.0, False)
    assert app.conf.broker_transport_options["socket_timeout"] == 1.0


def test_each_start_is_a_boot_of_its_own_that_knows_its_queues() -> None:
    before = boot.id
    configured(queues="email,payment")
    assert (boot.name, boot.queues) == ("w@h", ("email", "payment"))
    assert boot.id != before


def test_another_pool_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="prefork"):
        configured(pool_cls=SoloPool)


def test_a_worker_is_quick_to_leave() -> None:
    configured()
    assert billiard.pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT == 10
