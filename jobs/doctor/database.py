"""PostgreSQL: there, new enough, migrated, and of one time with this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from jobs.database import now, rows
from jobs.doctor.findings import Finding, fail, ok, warn

OLDEST = 15
CLOCK_TOLERANCE = 1.0
"""Seconds that this machine's clock may differ: `eta` and job ids are made by it."""


def check() -> Iterator[Finding]:
    """Stops at the first thing that makes the others pointless."""
    began = time.monotonic()
    try:
        rows("SELECT 1")
    except Error as error:
        yield _away(error)
        return
    rows("SELECT 1")
    yield from _version(time.monotonic() - began)
    yield from _migrations()
    yield from _clock()


def _away(error: Error) -> Finding:
    database = settings.DATABASES["default"]
    where = f"{database.get('HOST') or 'localhost'}:{database.get('PORT') or 5432}/{database['NAME']}"
    return fail(
        "database",
        f"PostgreSQL at {where} is away",
        why=" ".join(str(error).split()),
        todo="Start it, or set DATABASE_URL. Jobs can be neither written nor run meanwhile; none is lost.",
    )


def _version(seconds: float) -> Iterator[Finding]:
    number: int = connection.pg_version  # type: ignore[attr-defined] # PostgreSQL's backend
    text = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if number // 10_000 < OLDEST:
        yield fail("database", f"{text} is too old", todo=f"Upgrade to {OLDEST} or newer.")
    else:
        yield ok("database", f"{text} answers ({seconds * 1000:.0f} ms with the connection)")


def _migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan[:3])
        more = f" and {len(plan) - 3} more" if len(plan) > 3 else ""
        yield fail("database", f"not migrated: {names}{more}", todo="manage.py migrate")
    else:
        yield ok("database", "all migrations are applied")


def _clock() -> Iterator[Finding]:
    before = time.time()
    theirs = now().timestamp()
    off = theirs - (before + time.time()) / 2
    if abs(off) > CLOCK_TOLERANCE:
        yield warn(
            "database",
            f"PostgreSQL's clock is {abs(off):.1f} s {'ahead of' if off > 0 else 'behind'} this machine's",
            why="Leases and due times go by PostgreSQL's clock; a given `eta` was computed by this machine's.",
            todo="Set both clocks by NTP.",
        )
    else:
        yield ok("database", f"clocks agree ({off * 1000:+.0f} ms)")
