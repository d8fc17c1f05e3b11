"""Health checks of the containers, for docker-compose.yml and whatever else starts them.

python -m contralock.probe web|worker|keeper|flower

Exit code 0: well; 1: not, with a line that says why. Django is not set up and no model is loaded, because this
runs every half minute beside each process.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException

from django.conf import settings
from django.db import Error, connection

WEB_PORT, FLOWER_PORT = 8000, 5555  # as in deploy/entrypoint.sh
PAGE = "/admin/login/"  # asks no database, but needs templates and the manifest of static files


class Unwell(Exception):
    """Says what is wrong."""


def web() -> None:
    """The site draws a page. A redirect to https is an answer too: without a TLS proxy there is no other."""
    host = next(iter(settings.ALLOWED_HOSTS), "").lstrip(".*") or "localhost"
    _ask(WEB_PORT, PAGE, {"Host": host, "X-Forwarded-Proto": "https"})


def worker() -> None:
    """This host's worker wrote into PostgreSQL, within a lease, that it is there.

    `celery inspect ping` says less: it is answered through Redis by a worker that cannot reach PostgreSQL. While
    PostgreSQL is away this check fails for all workers, so it must not make anybody restart them.
    """
    found = _row(
        "SELECT 1 FROM jobs_worker WHERE host = %(host)s AND stopped_at IS NULL"
        " AND seen_at > clock_timestamp() - %(lease)s * interval '1 second' LIMIT 1",
        {"host": socket.gethostname(), "lease": settings.JOBS_LEASE},
    )
    if not found:
        raise Unwell(f"no worker of this host was seen in the last {settings.JOBS_LEASE:g} s")


def keeper() -> None:
    """Some keeper finished a tick within a lease. All beats share that row: this is about the work, not the process."""
    found = _row(
        "SELECT 1 FROM jobs_keeper WHERE ticked_at > clock_timestamp() - %(lease)s * interval '1 second'",
        {"lease": settings.JOBS_LEASE},
    )
    if not found:
        raise Unwell(f"no keeper finished a tick in the last {settings.JOBS_LEASE:g} s")


def flower() -> None:
    """Flower answers; this page of it wants no password."""
    _ask(FLOWER_PORT, "/healthcheck", {})


def _row(sql: str, params: dict[str, object]) -> object:
    """The first row or None, by psycopg itself: Django's cursor warns when the apps are not set up."""
    with connection.wrap_database_errors:
        connection.ensure_connection()
        return connection.connection.execute(sql, params).fetchone()


def _ask(port: int, path: str, headers: dict[str, str]) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise Unwell(f"port {port}: {error}") from error
    finally:
        connection.close()
    if status >= 400:
        raise Unwell(f"{path} answered {status}")


CHECKS: dict[str, Callable[[], None]] = {check.__name__: check for check in (web, worker, keeper, flower)}


def main(arguments: list[str]) -> int | str:
    """Run the check that the one argument names; what it returns is for sys.exit."""
    check = CHECKS.get(" ".join(arguments))
    if check is None:
        return f"usage: python -m contralock.probe {'|'.join(CHECKS)}"
    try:
        check()
    except (Unwell, Error) as error:
        return str(error)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contralock.settings")
    sys.exit(main(sys.argv[1:]))
