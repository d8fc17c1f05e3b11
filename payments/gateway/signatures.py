"""Whether a webhook really comes from Stripe, and just now."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe

TOLERANCE = timedelta(minutes=5)
"""How old, or how far in the future, a signature may be. The SDK looks at the past only: a recorded request with a
time of next year would be good for a year."""


class BadSignature(Exception):
    """Not signed by any of our secrets, or not now. Nothing in the body may be believed."""


def verify(body: bytes, header: str, *, secrets: Sequence[str], now: datetime) -> dict[str, Any]:
    """The event in a webhook's raw body. `secrets` are the endpoint's: two while one is being rolled.

    Raises BadSignature.
    """
    _check_age(header, now)
    if not any(_signed(body, header, secret) for secret in secrets if secret):
        raise BadSignature("The signature was made with none of this endpoint's secrets.")
    try:
        event = json.loads(body)
    except ValueError as error:
        raise BadSignature("The body is no JSON.") from error
    if not isinstance(event, dict) or event.get("object") != "event" or not isinstance(event.get("id"), str):
        raise BadSignature("The body is no event.")
    return event


def _check_age(header: str, now: datetime) -> None:
    stamp = re.search(r"(?:^|,)\s*t=(\d{1,12})(?:,|$)", header or "")
    if not stamp:
        raise BadSignature("The Stripe-Signature header has no time.")
    off = abs(now - datetime.fromtimestamp(int(stamp[1]), UTC))
    if off > TOLERANCE:
        raise BadSignature(
            f"The signature's time is {off.total_seconds():.0f} s off: too old, or of a clock that is wrong."
        )


def _signed(body: bytes, header: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(body, header, secret))
    except Exception:  # noqa: BLE001 - strange bodies raise UnicodeDecodeError and others besides its own error
        return False
