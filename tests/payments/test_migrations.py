"""The migrations go both ways, and say all that the models say."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from jobs.database import rows


@pytest.mark.django_db(transaction=True)
def test_the_payments_migrations_can_be_taken_back_and_made_again() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("payments", None)])
    try:
        assert rows("SELECT count(*) FROM pg_proc WHERE proname LIKE 'ledger\\_%%'") == [(0,)]
        assert rows("SELECT to_regclass('ledger_transfer')") == [(None,)]
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes("payments"))
    assert rows("SELECT count(*) FROM pg_proc WHERE proname LIKE 'ledger\\_%%'") == [(2,)]


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "payments", check=True, dry_run=True, stdout=StringIO())
