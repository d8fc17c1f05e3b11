"""`celery -A contralock worker -Q payment` as it stands: size and prefetch come from the queue's settings."""

from __future__ import annotations

from typing import Any

from celery.signals import celeryd_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from jobs.ids import uuid7
from jobs.worker.identity import boot

WORKER_TIMEOUTS = {"socket_timeout": 5.0, "socket_connect_timeout": 2.0}
"""Seconds; a worker waits longer for Redis than a web request may, since BRPOP itself waits a second."""


@celeryd_init.connect(weak=False)
def configure(sender: str, instance: Any, conf: Any, options: dict[str, Any], **_: Any) -> None:
    """Fill in what the command line left open, before the worker is built."""
    queues = _queues(options.get("queues"))
    policies = [settings.JOBS_QUEUES[name] for name in queues]
    pool = getattr(options.get("pool_cls"), "__module__", "prefork")
    if "prefork" not in pool:
        raise ImproperlyConfigured(f"Jobs need the prefork pool (a run is stopped by ending its process), not {pool}.")
    if not options.get("concurrency"):
        conf.worker_concurrency = sum(policy["concurrency"] for policy in policies)
    if options.get("prefetch_multiplier") is None:
        prefetch = min(policy["prefetch"] for policy in policies)
        conf.worker_prefetch_multiplier = prefetch
        conf.worker_disable_prefetch = prefetch == 1
    conf.broker_transport_options = dict(conf.broker_transport_options) | WORKER_TIMEOUTS
    boot.id, boot.name, boot.queues = uuid7(), sender, queues
    _be_quick_to_leave()


def _queues(chosen: Any) -> tuple[str, ...]:
    names = chosen.split(",") if isinstance(chosen, str) else list(chosen or settings.JOBS_QUEUES)
    return tuple(name.strip() for name in names if name.strip() in settings.JOBS_QUEUES) or tuple(settings.JOBS_QUEUES)


def _be_quick_to_leave() -> None:
    """At a warm shutdown a child waits for its last result to be read, which the main process no longer does.

    Billiard's limit of 300 looks (0.1 s each) then holds every fifth shutdown for 30 s; the row is
    written before the result, so nothing is lost by not waiting.
    """
    import billiard.pool  # here: the web process has no use for it

    billiard.pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = 10
