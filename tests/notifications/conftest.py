"""Fixtures of the notifications' tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from notifications import services
from notifications.models import Message
from tests.notifications.post_office import PostOffice, open_office


@pytest.fixture
def post_office(settings: Any) -> Iterator[PostOffice]:
    """A server that takes mails in the clear, and settings that point at it."""
    yield from open_office(PostOffice(), settings)


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
