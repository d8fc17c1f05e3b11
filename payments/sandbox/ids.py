"""Object ids of Stripe's form: a prefix that names the kind, and 24 random characters."""

from __future__ import annotations

import secrets

PLATFORM = "acct_1LocalPlatform0000"  # the account whose key everybody holds


def new(prefix: str) -> str:
    """For instance `tr_5f0c…`."""
    return f"{prefix}_{secrets.token_hex(12)}"
