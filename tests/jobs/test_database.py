"""Statements that survive a lost connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection, transaction

from jobs.database import now, private_connection, repeatable, rows
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import end_backend, make, taken

pytestmark = COMMITTED


@pytest.fixture(params=[True, False], ids=["prepared", "plain"])
def prepare(request: pytest.FixtureRequest, settings: Any) -> bool:
    """Both ways to send: prepared, and plain for a pooler that cannot."""
    settings.JOBS_PREPARE = request.param
    connection.close()
    chosen: bool = request.param
    return chosen


@pytest.fixture
def nowhere() -> Iterator[None]:
    """PostgreSQL is not where it was."""
    port = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = 1
    yield
    connection.settings_dict["PORT"] = port
    connection.close()


def test_a_claim_is_planned_once_and_not_each_time(prepare: bool) -> None:
    for _ in range(3):
        taken(make())
    found = rows("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%UPDATE jobs_job%%'")
    assert found == [(1 if prepare else 0,)]


def test_a_statement_is_sent_again_on_a_fresh_connection(prepare: bool) -> None:
    before = repeatable("SELECT pg_backend_pid()", [], patience=1)
    end_backend()
    assert repeatable("SELECT pg_backend_pid()", [], patience=1) != before


def test_a_mistake_is_raised_at_once_and_leaves_the_connection_usable(prepare: bool) -> None:
    pid = rows("SELECT pg_backend_pid()")
    with pytest.raises(DataError):
        repeatable("SELECT 1 / %s::int", [0], patience=60)
    assert rows("SELECT pg_backend_pid()") == pid


def test_when_its_patience_is_used_up_the_error_is_raised(prepare: bool, nowhere: None) -> None:
    began = time.monotonic()
    with pytest.raises(OperationalError):
        repeatable("SELECT 1", [], patience=0.2)
    assert 0.2 <= time.monotonic() - began < 5


def test_inside_a_transaction_it_is_sent_once(prepare: bool) -> None:
    def lose_the_transaction() -> None:
        with transaction.atomic():
            end_backend()
            repeatable("SELECT 1", [], patience=60)

    began = time.monotonic()
    with pytest.raises(OperationalError):
        lose_the_transaction()
    assert time.monotonic() - began < 5


def test_a_statement_without_rows_has_none(prepare: bool) -> None:
    assert rows("SET application_name = 'test'") == []
    assert repeatable("SET application_name = 'test'", [], patience=1) == []


def test_now_moves_on_inside_a_transaction() -> None:
    with transaction.atomic():
        first = now()
        assert now() > first


def test_a_private_connection_shares_nothing_with_the_threads_own() -> None:
    before = dict(connection.settings_dict["OPTIONS"])
    own = private_connection(statement_timeout=0.5)
    try:
        assert rows("SELECT pg_backend_pid()", using=own) != rows("SELECT pg_backend_pid()")
        assert rows("SHOW statement_timeout", using=own) == [("500ms",)]
        assert rows("SHOW statement_timeout") == [("1min",)]
        assert connection.settings_dict["OPTIONS"] == before
    finally:
        own.close()
