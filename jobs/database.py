"""Statements that survive a lost connection.

A worker's connection to PostgreSQL may die between any two statements. Statements that are written so
that repeating them changes nothing (claim, finish) are simply sent again on a fresh connection; that
needs no health check before each job and burns no attempt when PostgreSQL restarts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from jobs.outcomes import lost_connection

type Row = tuple[Any, ...]
type Params = Mapping[str, Any] | Sequence[Any]

_PAUSES = (0.0, 0.05, 0.1, 0.2, 0.5)
_never = threading.Event()


def rows(sql: str, params: Params = (), *, using: BaseDatabaseWrapper | None = None) -> list[Row]:
    """Run one statement and return its rows (none for a statement without RETURNING)."""
    with (using or connection).cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall()) if cursor.description else []


def _prepared(sql: str, params: Params) -> list[Row]:
    """Run one statement that PostgreSQL need not parse and plan each time.

    Django's own cursors bind on the client and never prepare, so this one goes to the driver, with the
    checks and the translation of errors that Django's would have had.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        raw = connection.connection
        raw.prepare_threshold = 2  # None, as Django leaves it, switches preparing off
        with psycopg.Cursor(raw) as cursor:
            cursor.execute(sql, params, prepare=True)
            # Not `description`, which makes an object for every column.
            return cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []


def repeatable(sql: str, params: Params, *, patience: float) -> list[Row]:
    """Run one idempotent statement, again on fresh connections while PostgreSQL is away. See `again`."""
    return again(lambda: quick(sql, params), patience=patience)


def quick(sql: str, params: Params) -> list[Row]:
    """Run one statement and return its rows; prepared where the way to the server keeps such."""
    return _prepared(sql, params) if settings.JOBS_PREPARE else rows(sql, params)


def again[T](step: Callable[[], T], *, patience: float) -> T:
    """Do what may be repeated, again on fresh connections while PostgreSQL is away.

    `patience` is in seconds; when it is used up the last error is raised. Inside a transaction
    nothing is repeated: the caller's earlier statements would be missing.
    """
    end = time.monotonic() + patience
    attempt = 0
    while True:
        try:
            return step()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or not lost_connection(error) or time.monotonic() > end:
                raise
            connection.close()
            _never.wait(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            attempt += 1


def now() -> datetime:
    """The database's clock: the only one that leases and due times are compared with."""
    moment: datetime = rows("SELECT clock_timestamp()")[0][0]
    return moment


def private_connection(*, statement_timeout: float) -> BaseDatabaseWrapper:
    """A connection of the calling thread's own, with short limits (seconds), for heartbeats.

    It shares nothing with the connection that the handler uses, so a handler's long query or lock
    does not hold up the heartbeat.
    """
    own = connection.copy()
    options = own.settings_dict["OPTIONS"] = dict(own.settings_dict["OPTIONS"])
    options["connect_timeout"] = 2  # seconds; libpq's least
    options["tcp_user_timeout"] = int(statement_timeout * 2000)
    options["options"] = f"-c statement_timeout={int(statement_timeout * 1000)} -c lock_timeout=0"
    own.settings_dict["CONN_HEALTH_CHECKS"] = False
    return own
