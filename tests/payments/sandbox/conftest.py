"""What all tests of the local Stripe begin with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from payments.sandbox.control import Control
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.receiver import Receiver
from tests.payments.sandbox.server import LocalStripe, local_stripe, local_stripe_process

__all__ = ["local_stripe", "local_stripe_process"]


@pytest.fixture
def control(local_stripe: LocalStripe) -> Control:
    """Orders to the server of this test."""
    return local_stripe.control


@pytest.fixture
def cast(local_stripe: LocalStripe) -> Cast:
    """The real SDK, and the people of a story."""
    return Cast(local_stripe.url, local_stripe.key)


@pytest.fixture
def sdk(cast: Cast) -> stripe.StripeClient:
    """The real SDK, pointed at this test's server."""
    return cast.sdk


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook endpoint."""
    with Receiver() as one:
        yield one
