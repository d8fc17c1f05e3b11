"""A story with a real worker of the invoice queue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.db import transaction

from contralock.local.waiting import wait_until
from invoices import shelf
from invoices.models import Invoice
from invoices.states import State
from jobs.models import Attempt
from notifications.models import Message
from tests.invoices.people import client, freelancer, issue
from tests.nodes import WorkerNode
from tests.stage import (  # noqa: F401 - fixtures
    celery_backend_cluster,
    celery_backend_cluster_config,
    celery_broker,
    environment,
    nodes,
    start_worker,
)

type Start = Callable[..., WorkerNode]


def test_a_worker_is_warm_before_it_forks_and_draws_what_was_committed(
    start_worker: Start,  # noqa: F811
    media: Path,
    figure: Callable[[str, object], None],
) -> None:
    worker = start_worker("invoice", MEDIA_ROOT=str(media))
    assert "renderer of invoices ready" in worker.logs()
    with transaction.atomic():
        invoice = issue(freelancer(), client())
    wait_until(lambda: Invoice.objects.get().state == State.RENDERED, limit=30, what="a rendered invoice")
    drawn = Invoice.objects.get(pk=invoice.pk)
    assert shelf.take(drawn).startswith(b"%PDF-1.7")
    assert Message.objects.count() == 2
    wait_until(Attempt.objects.exists, limit=10, what="its attempt")
    run = Attempt.objects.get()
    figure("first invoice of a fresh child (s)", round((run.finished_at - run.started_at).total_seconds(), 3))


def test_another_queues_worker_stays_cold(start_worker: Start) -> None:  # noqa: F811
    worker = start_worker("general")
    assert "renderer of invoices" not in worker.logs()
    mapped = Path(f"/proc/{worker.container.pid}/maps").read_text()
    assert "libpango" not in mapped
