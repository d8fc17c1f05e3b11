"""The migrations go both ways."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from jobs.database import rows

GUARDS = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'invoice\\_%%' OR proname LIKE 'series\\_%%'"


@pytest.mark.django_db(transaction=True)
def test_the_invoices_migrations_can_be_taken_back_and_made_again() -> None:
    MigrationExecutor(connection).migrate([("invoices", None)])
    try:
        assert rows(GUARDS) == [(0,)]
        assert rows("SELECT to_regclass('invoices_invoice')") == [(None,)]
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes("invoices"))
    assert rows(GUARDS) == [(4,)]
