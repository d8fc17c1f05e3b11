"""The stage of the fault cases: real workers, a local Stripe, and a gate between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from payments.sandbox.options import KEY
from tests.nodes import WorkerNode
from tests.payments.faults.gate import Gate
from tests.payments.live import use
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import LocalStripe, local_stripe, local_stripe_process
from tests.stage import (
    beat,
    celery_broker,
    environment,
    nodes,
    start_beat,
    start_worker,
    valkey,
)

__all__ = [
    "beat",
    "celery_broker",
    "environment",
    "local_stripe",
    "local_stripe_process",
    "nodes",
    "start_beat",
    "start_worker",
    "valkey",
]


@pytest.fixture
def stripe(local_stripe: LocalStripe, settings: Any) -> Cast:
    """The local Stripe; this process's own gateway talks to it without a gate."""
    use(settings, local_stripe.url)
    return Cast(local_stripe.url, local_stripe.key)


@pytest.fixture
def gate(local_stripe: LocalStripe) -> Iterator[Gate]:
    """What the workers take for Stripe."""
    with Gate(local_stripe.url) as one:
        yield one


@pytest.fixture
def payment_worker(start_worker: Callable[..., WorkerNode], gate: Gate) -> Callable[..., WorkerNode]:
    """Start a worker of the payment queue behind the gate; a test stops it at a point, so nothing times out."""

    def start(*, concurrency: int = 4, wait: bool = True, **environment: str) -> WorkerNode:
        known = {"STRIPE_API_BASE": gate.url, "STRIPE_SECRET_KEY": KEY, "STRIPE_RATE": "1000"}
        return start_worker("payment", concurrency=concurrency, wait=wait, **known | environment)

    return start
