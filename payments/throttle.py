"""How fast all workers together may call Stripe: a token bucket per endpoint.

Stripe's own limit is 25 requests a second for each endpoint (https://docs.stripe.com/rate-limits).
"""

from __future__ import annotations

from django.conf import settings

from jobs.database import rows

BURST = 10.0
"""Calls that may follow each other at once."""

_TAKE = """
INSERT INTO payments_ratebucket AS b (endpoint, tokens, refilled_at)
VALUES (%(endpoint)s, %(burst)s - 1, clock_timestamp())
ON CONFLICT (endpoint) DO UPDATE SET refilled_at = clock_timestamp(), tokens =
    LEAST(%(burst)s, b.tokens + extract(epoch FROM clock_timestamp() - b.refilled_at) * %(rate)s) - 1
WHERE LEAST(%(burst)s, b.tokens + extract(epoch FROM clock_timestamp() - b.refilled_at) * %(rate)s) >= 1
RETURNING tokens
"""
_DRAIN = """
UPDATE payments_ratebucket SET tokens = LEAST(tokens, -%(rate)s * %(seconds)s), refilled_at = clock_timestamp()
WHERE endpoint = %(endpoint)s
"""


def take(endpoint: str) -> bool:
    """Take a token for one call; False when none is left, and nothing was taken."""
    return bool(rows(_TAKE, {"endpoint": endpoint, "burst": BURST, "rate": settings.STRIPE_RATE}))


def drain(endpoint: str, *, seconds: float) -> None:
    """Stripe said "too many": nobody calls this endpoint for so long."""
    rows(_DRAIN, {"endpoint": endpoint, "rate": settings.STRIPE_RATE, "seconds": seconds})
