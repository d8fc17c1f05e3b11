"""Celery as `celery worker` starts it: the base of all ratios."""

from __future__ import annotations

import sys

from tests.benchmarks.contenders.base import PROCESSES, Contender


class CeleryStock(Contender):
    """No rows, no results, Celery's defaults."""

    name = "celery"
    app = "tests.benchmarks.apps.celery_app"
    events = ("off", "on")
    note = "defaults, no result backend: a job dies with its worker; timed by the handlers' marks in Redis"
    more: tuple[str, ...] = ()

    def worker_argv(self, events: str) -> list[str]:
        """With and without -E."""
        flags = ["-E"] if events == "on" else []
        options = ["-c", str(PROCESSES), "-n", "bench@%h", *self.more, *flags]
        return [sys.executable, "-m", "celery", "--quiet", "-A", self.app, "worker", *options]
