"""Loaded by pytest before Django's settings are read (`-p tests.servers`): names the servers of this test process.

Each xdist worker has a PostgreSQL and a Valkey of its own. They are named here and started by the
fixtures that need them, so that collecting tests starts nothing.
"""

from __future__ import annotations

import atexit
import os
from functools import cache
from pathlib import Path

from contralock.local.postgres import Postgres
from contralock.local.valkey import Valkey

LEASE = 2.0
"""Seconds; the stories' lease, so that a lost worker is noticed soon. One story uses the defaults."""


@cache
def postgres() -> Postgres:
    """The PostgreSQL of this test process, not started."""
    server = Postgres.throwaway()
    atexit.register(server.destroy)
    return server


@cache
def valkey() -> Valkey:
    """The Valkey of this test process, not started."""
    server = Valkey.throwaway()
    atexit.register(server.destroy)
    return server


def name_servers() -> None:
    """Tell settings, here and in every child process, where the servers are going to be."""
    os.environ.update(
        DJANGO_SETTINGS_MODULE="contralock.settings",
        IGNORE_ENV_FILES="true",
        DEBUG="true",  # pytest-django switches it off again; staticfiles need no collected manifest this way
        SECRET_KEY="only-for-tests-" + "x" * 40,
        DATABASE_URL=postgres().url("contralock"),
        REDIS_URL=valkey().url,
        JOBS_DRILL="true",
        JOBS_LEASE=str(LEASE),
        JOBS_HEARTBEAT=str(LEASE / 4),
        JOBS_TICK=str(LEASE / 10),
        QUEUE_BACKOFF_DELAY="100",
        THROTTLE_REGISTER="1000/hour",
        SITE_URL="http://testserver",
        PYTHONPATH=str(Path(__file__).parent.parent),
    )
    os.environ.pop("SMTP_HOST", None)


name_servers()
