"""What a figure is worth nothing without: the machine, its load, the versions."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import distributions
from pathlib import Path

from tests.benchmarks.contenders.base import BENCH

PACKAGES = ("celery", "kombu", "redis", "django", "psycopg", "billiard", "dramatiq", "django-celery-results")


def processor() -> str:
    """The processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def load() -> float:
    """Processes that ran or wanted to, on average over the last minute."""
    return round(os.getloadavg()[0], 2)


def versions() -> dict[str, str]:
    """Of Python and the packages that are compared."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        for package in distributions(name=name, path=[*sys.path, str(BENCH / "py")]):
            found.setdefault(name, package.version)
    return found


def facts() -> dict[str, object]:
    """All of it, for the JSON file."""
    return {"processor": processor(), "cpus": os.cpu_count(), "load": load(), "kernel": platform.release()}
