"""Who opens the pages, and the local Stripe behind some of them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from django.test import Client

from tests.payments.admin.pages import superuser
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import LocalStripe, local_stripe, local_stripe_process

__all__ = ["local_stripe", "local_stripe_process"]


@pytest.fixture
def inline(jobs_inline: ModuleType) -> ModuleType:
    """Jobs run when the test says so."""
    return jobs_inline


@pytest.fixture
def stripe(local_stripe: LocalStripe, settings: Any) -> Cast:
    """This test's local Stripe, which the gateway talks to."""
    from tests.payments.live import use

    use(settings, local_stripe.url)
    return Cast(local_stripe.url, local_stripe.key)


@pytest.fixture
def boss(inline: ModuleType) -> Client:
    """A superuser who has logged in."""
    return superuser()
