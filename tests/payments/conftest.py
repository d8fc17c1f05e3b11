"""Fixtures of the payments' tests. After each that touched the database the books are looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from payments import audit


@pytest.fixture(autouse=True)
def _the_books_are_right(request: pytest.FixtureRequest) -> Iterator[None]:
    touches = request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & set(request.fixturenames)
    if not touches:
        yield
        return
    request.getfixturevalue("_django_db_helper")  # so that this ends before the test's data is taken away
    yield
    assert not audit.check().breaches
