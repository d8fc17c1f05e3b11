"""Fixtures that all rooms share: the servers behind pytest-django's database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings

from contralock.local.postgres import Postgres
from contralock.local.valkey import Valkey
from tests import servers


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
