"""Fixtures of the accounts' tests."""

from __future__ import annotations

import pytest

from contralock import celery_app


@pytest.fixture(autouse=True)
def our_celery() -> None:
    """pytest-celery makes an app of its own the current one; doorbells would go to its broker (amqp, 6 s each)."""
    celery_app.set_current()
