"""Fixtures of the notifications' tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from contralock import celery_app
from notifications import services
from notifications.models import Message
from tests.notifications.post_office import PostOffice, open_office


@pytest.fixture
def post_office(settings: Any) -> Iterator[PostOffice]:
    """A server that takes mails in the clear, and settings that point at it."""
    yield from open_office(PostOffice(), settings)


@pytest.fixture(autouse=True)
def our_celery() -> None:
    """pytest-celery makes an app of its own the current one; doorbells would go to its broker (amqp, 6 s each)."""
    celery_app.set_current()


@pytest.fixture
def message(post_office: PostOffice) -> Message:
    """A welcome to Ada, queued; the test has real transactions."""
    return services.send(
        key="welcome:42",
        template="welcome",
        to="ada@example.com",
        name="Ada",
        language="en",
        context={"first_name": "Ada", "role": "client"},
    )
