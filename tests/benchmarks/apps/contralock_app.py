"""ContraLock's no-op job."""

from __future__ import annotations

from django.db import transaction

import contralock.celery  # noqa: F401 - the app that a job registers with
from jobs import job
from tests.benchmarks.apps.adders import Adders
from tests.benchmarks.apps.mark import mark


@job(name="bench.noop", queue="email")
def noop() -> None:
    """Do what every contender's handler does; safe to run twice, nobody counts what is left over."""
    mark()


def _many(count: int) -> None:
    noop.delay_many([{} for _ in range(count)])


def _in_transaction(count: int) -> None:
    with transaction.atomic():
        for _ in range(count):
            noop.delay()


adders = Adders(one=noop.delay, many=_many, transaction=_in_transaction)
