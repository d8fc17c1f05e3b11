"""Fixtures that all rooms share: the servers behind pytest-django's database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.db.backends.postgresql.operations import DatabaseOperations

from contralock import celery_app
from contralock.local.postgres import Postgres
from contralock.local.valkey import Valkey
from tests import servers


@pytest.fixture(autouse=True)
def our_celery() -> None:
    """pytest-celery makes an app of its own the current one; doorbells would go to its broker (amqp, 6 s each)."""
    celery_app.set_current()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """This test process's PostgreSQL, running."""
    server = servers.postgres().start()
    server.create_database("contralock")
    yield server
    server.stop("immediate")


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    """This test process's Valkey, running."""
    server = servers.valkey().start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres_server: Postgres) -> None:
    """pytest-django calls this before it makes the test database."""
    assert str(postgres_server.port) == str(settings.DATABASES["default"]["PORT"])


@pytest.fixture(scope="session", autouse=True)
def flush_wipes_the_ledger() -> Iterator[None]:
    """The ledger refuses TRUNCATE, which is how Django wipes the database after a test; here, and only here, it may."""
    with pytest.MonkeyPatch.context() as patch:
        flush = DatabaseOperations.sql_flush
        patch.setattr(
            DatabaseOperations,
            "sql_flush",
            lambda *args, **options: ["SET LOCAL session_replication_role = replica", *flush(*args, **options)],
        )
        yield


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """Record a figure that a story measured; all are printed at the end of the run."""

    def record(name: str, value: object) -> None:
        request.node.user_properties.append((name, str(value)))  # xdist carries few types

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    figures = [
        found
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if report.when == "call"
        for found in report.user_properties
    ]
    if figures:
        terminalreporter.section("figures")
        for name, value in figures:
            terminalreporter.line(f"{name}: {value}")
