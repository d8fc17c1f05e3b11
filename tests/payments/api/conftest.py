"""Fixtures of the API's tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.live import use
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import LocalStripe, local_stripe, local_stripe_process

__all__ = ["local_stripe", "local_stripe_process"]


@pytest.fixture(autouse=True)
def no_limits_left_over(request: pytest.FixtureRequest) -> None:
    """Throttles are kept in a table that no test's clean-up knows."""
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("_django_db_helper")
        from django.core.cache import cache

        cache.clear()


@pytest.fixture
def stripe(local_stripe: LocalStripe, settings: Any) -> Cast:
    """The local Stripe, which the gateway of this process talks to."""
    use(settings, local_stripe.url)
    return Cast(local_stripe.url, local_stripe.key)
