"""Celery's defaults with django-celery-results: every outcome is a row in PostgreSQL."""

from __future__ import annotations

import django
from celery import Celery, group
from django.conf import settings

from tests.benchmarks.apps.adders import Adders
from tests.benchmarks.apps.mark import mark

app = Celery("bench", broker=settings.REDIS_URL)
app.conf.update(result_backend="django-db", result_extended=True)
django.setup()


@app.task(name="bench.noop")
def noop() -> None:
    """Do what every contender's handler does."""
    mark()


def _many(count: int) -> None:
    group(noop.s() for _ in range(count)).apply_async()


adders = Adders(one=noop.delay, many=_many)
