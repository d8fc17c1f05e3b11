"""ContraLock: worker and keeper as the README starts them, queue `email` (prefetch 16), production settings."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from contralock.local.waiting import wait_until
from tests.benchmarks.contenders.base import PROCESSES, Contender
from tests.benchmarks.processes import Spawned

TRUST = 1.0
"""Seconds; as in jobs/window.py."""
NOTICEABLE = 200
"""Jobs; a fifth of the window."""
CELERY = (sys.executable, "-m", "celery", "--quiet", "-A", "contralock")


class ContraLock(Contender):
    """Every job a row."""

    name = "contralock"
    database = "contralock"
    app = "tests.benchmarks.apps.contralock_app"
    events = ("on", "off")
    transactions = True
    note = "every job a row; keeper runs beside the worker; timed by finished_at in PostgreSQL"

    def environment(self, **more: str) -> dict[str, str]:
        """Production settings and nothing from files."""
        named = {
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.apps.contralock_settings",
            "IGNORE_ENV_FILES": "true",
            "SECRET_KEY": "only-for-the-bench-" + "x" * 40,
        }
        return super().environment(**named, **more)

    def prepare(self) -> None:
        """Migrate."""
        self.servers.postgres.create_database(self.database)
        argv = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(argv, env=self.environment(), check=True, stdout=subprocess.DEVNULL)

    def wipe(self) -> None:
        """Remove jobs; after many, wait until the driver has forgotten what it believes of the window's room."""
        with self.servers.connect(self.database) as connection:
            found = connection.execute("SELECT count(*) FROM jobs_job").fetchone()
            connection.execute("TRUNCATE jobs_job, jobs_attempt, jobs_joblog, jobs_keeper, jobs_worker")
        if found and found[0] > NOTICEABLE:
            time.sleep(TRUST + 0.1)

    def worker_argv(self, events: str) -> list[str]:
        """As in the README."""
        options = ("-Q", "email", "-c", str(PROCESSES), "-n", "bench@%h", "--without-gossip", "--without-mingle")
        return [*CELERY, "worker", *options]

    @contextmanager
    def keeper(self) -> Iterator[int | None]:
        """Beat, from its first tick on."""
        argv = [*CELERY, "beat", "--pidfile="]
        with Spawned(argv, env=self.environment(), log=self.folder / "contralock-beat.log") as beat:
            wait_until(self._has_ticked, limit=30, what="the keeper's first tick")
            yield beat.pid

    def _has_ticked(self) -> bool:
        with self.servers.connect(self.database) as connection:
            return bool(connection.execute("SELECT 1 FROM jobs_keeper WHERE epoch <> ''").fetchone())

    def span(self, count: int) -> tuple[float, float]:
        """By `finished_at`, once that many rows have one."""
        query = """SELECT count(*), extract(epoch FROM min(finished_at))::float8,
            extract(epoch FROM max(finished_at))::float8 FROM jobs_job WHERE state = 'completed'"""
        with self.servers.connect(self.database) as connection:

            def found() -> tuple[int, float, float]:
                row = connection.execute(query).fetchone()
                assert row is not None
                return row[0], row[1], row[2]

            wait_until(lambda: found()[0] >= count, limit=30, what=f"{count} completed rows")
            return found()[1:]
