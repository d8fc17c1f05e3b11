"""Celery with django-celery-results: what a Django project gets that wants to see its jobs in the database."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

from tests.benchmarks.contenders.base import BENCH
from tests.benchmarks.contenders.celery_stock import CeleryStock


class CeleryResults(CeleryStock):
    """Celery's defaults, every result a row."""

    name = "celery-results"
    database = "results"
    app = "tests.benchmarks.apps.results_app"
    share = 0.25
    note = "defaults with django-celery-results: a row when a job ends, none while it waits"

    def missing(self) -> str:
        """Its package is in the dependency group `bench`."""
        found = find_spec("django_celery_results") or (BENCH / "py" / "django_celery_results").exists()
        return "" if found else "django-celery-results is not installed (uv sync --group bench)"

    def environment(self, **more: str) -> dict[str, str]:
        """A Django project of its own."""
        return super().environment(DJANGO_SETTINGS_MODULE="tests.benchmarks.apps.results_settings", **more)

    def prepare(self) -> None:
        """Migrate."""
        self.servers.postgres.create_database(self.database)
        argv = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
        subprocess.run(argv, env=self.environment(), check=True, stdout=subprocess.DEVNULL)

    def wipe(self) -> None:
        """Remove results."""
        with self.servers.connect(self.database) as connection:
            connection.execute("TRUNCATE django_celery_results_taskresult")
