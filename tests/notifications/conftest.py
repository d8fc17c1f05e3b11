"""Fixtures of the notifications' tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.notifications.post_office import PostOffice, open_office


@pytest.fixture
def post_office(settings: Any) -> Iterator[PostOffice]:
    """A server that takes mails in the clear, and settings that point at it."""
    yield from open_office(PostOffice(), settings)
