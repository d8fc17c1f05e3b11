"""What a contender has to say of itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from tests.benchmarks.processes import Driver, Spawned
from tests.benchmarks.servers import Servers

ROOT = Path(__file__).parents[3]
BENCH = ROOT / ".local" / "bench"
"""Results, logs, and what is installed for the bench only."""
PROCESSES = 4
"""Processes that every contender's worker may use."""

NOT_PASSED_ON = {"PYTHONDONTWRITEBYTECODE", "DEBUG", "DJANGO_SETTINGS_MODULE", "SMTP_HOST"}
"""Variables that a contender does not get from the bench's own process."""


class Contender:
    """One way to run jobs."""

    name: ClassVar[str]
    database: ClassVar[str] = ""
    """Its database in PostgreSQL; none: it needs none."""
    app: ClassVar[str]
    """The module of tests/benchmarks/apps that its driver imports."""
    events: ClassVar[tuple[str, ...]] = ("",)
    """Ways to run its worker as to Flower's events, the usual one first; `("",)`: it has no such thing."""
    transactions: ClassVar[bool] = False
    """Whether jobs added in a transaction are there if and only if it commits."""
    share: ClassVar[float] = 1.0
    """Of the backlog, for one that is so slow that it would take the most of a run."""
    note: ClassVar[str] = ""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers = servers
        self.folder = folder

    # ------------------------------------------------------------ to be said
    def missing(self) -> str:
        """Why it cannot take part here; empty when it can."""
        return ""

    def prepare(self) -> None:
        """Once: what its tables need."""

    def wipe(self) -> None:
        """Remove its rows; Redis is emptied already."""

    def driver_argv(self) -> list[str]:
        """The process that adds."""
        return [sys.executable, "-m", "tests.benchmarks.driver", self.app]

    def worker_argv(self, events: str) -> list[str]:
        """Its worker, with PROCESSES processes."""
        raise NotImplementedError

    @contextmanager
    def keeper(self) -> Iterator[int | None]:
        """What runs beside the worker, from before a backlog is made; its process id."""
        yield None

    def span(self, count: int) -> tuple[float, float]:
        """First and last finish (seconds, wall clock) of so many jobs: here, when their handlers were started."""
        marks = self.servers.marks()
        return marks[0], marks[-1]

    # ------------------------------------------------------------ to be used
    def environment(self, **more: str) -> dict[str, str]:
        """Of its processes. Compiled code is kept, production settings are used."""
        kept = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
        installed = BENCH / "py"
        paths = [str(ROOT), *([str(installed)] if installed.exists() else [])]
        return kept | {
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONWARNINGS": "ignore",
            "DATABASE_URL": self.servers.postgres.url(self.database or "postgres"),
            "REDIS_URL": self.servers.valkey.url,
            **more,
        }

    def driver(self) -> Driver:
        """Start the process that adds."""
        return Driver(self.driver_argv(), env=self.environment(), log=self.folder / f"{self.name}-driver.log")

    def worker(self, events: str) -> Spawned:
        """Start its worker."""
        environment = self.environment(BENCH_EVENTS=events)
        return Spawned(self.worker_argv(events), env=environment, log=self.folder / f"{self.name}-worker.log")

    def clean(self) -> None:
        """Nothing of an earlier measure is left."""
        self.servers.empty_redis()
        self.wipe()
