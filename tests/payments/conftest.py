"""Fixtures of the payments' tests. After each that touched the database the books are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jobs.kinds import REGISTRY
from payments import audit
from tests.notifications.post_office import PostOffice, address_to


@pytest.fixture(autouse=True)
def _the_books_are_right(request: pytest.FixtureRequest) -> Iterator[None]:
    touches = request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & set(request.fixturenames)
    if not touches:
        yield
        return
    request.getfixturevalue("_django_db_helper")  # so that this ends before the test's data is taken away
    yield
    assert not audit.check().breaches


@pytest.fixture(autouse=True)
def _no_invoice_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release issues invoices, and their jobs wait here: money's tests look at money, and drawing takes a while."""
    monkeypatch.delitem(REGISTRY, "invoices.render_invoice")


@pytest.fixture(scope="session")
def _mail_server() -> Iterator[PostOffice]:
    office = PostOffice()
    office.controller.start()
    yield office
    office.controller.stop()


@pytest.fixture(autouse=True)
def post_office(_mail_server: PostOffice, settings: Any) -> Iterator[PostOffice]:
    """A mail server that takes every letter: money's jobs are run to their end here, and mails are among them."""
    _mail_server.mails.clear()
    with address_to(_mail_server, settings):
        yield _mail_server
