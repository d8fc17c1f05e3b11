"""Fixtures of the accounts' tests."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """A hash that takes no time: a real one costs a third of a second, for every login of every test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_limits_left_over(db: None) -> None:
    """Throttles are kept in a table that no test's clean-up knows."""
    from django.core.cache import cache

    cache.clear()
