"""dramatiq on Redis."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from tests.benchmarks.contenders.base import BENCH, PROCESSES, Contender


class Dramatiq(Contender):
    """Its default middleware; one thread in each process, so that as many jobs run at once as elsewhere."""

    name = "dramatiq"
    app = "tests.benchmarks.apps.dramatiq_app"
    note = "4 processes of one thread; no priorities in Redis, no record of what ran"

    def missing(self) -> str:
        """Its package is in the dependency group `bench`."""
        found = find_spec("dramatiq") or (BENCH / "py" / "dramatiq").exists()
        return "" if found else "dramatiq is not installed (uv sync --group bench)"

    def worker_argv(self, events: str) -> list[str]:
        """Its command."""
        return [sys.executable, "-m", "dramatiq", self.app, "-p", str(PROCESSES), "-t", "1"]
