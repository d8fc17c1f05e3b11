"""The `Stripe-Signature` header: HMAC-SHA256 over `timestamp.body` (docs.stripe.com/webhooks/signature)."""

from __future__ import annotations

import hashlib
import hmac


def header(body: bytes, secret: str, timestamp: int) -> str:
    """`t=…,v1=…` for the raw body."""
    signed = f"{timestamp}.".encode() + body
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
