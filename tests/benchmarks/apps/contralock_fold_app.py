"""ContraLock's no-op job, as a kind that may be folded."""

from __future__ import annotations

import contralock.celery  # noqa: F401 - the app that a job registers with
from jobs import job
from tests.benchmarks.apps.adders import Adders
from tests.benchmarks.apps.mark import mark


@job(name="bench.folded", queue="email", batch=100)
def folded() -> None:
    """Do what every contender's handler does; safe to run twice, nobody counts what is left over."""
    mark()


def _many(count: int) -> None:
    folded.delay_many([{} for _ in range(count)])


adders = Adders(one=folded.delay, many=_many)
