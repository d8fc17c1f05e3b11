"""Secrets in a mail, such as a link that sets a password: sealed in the row, opened by the job, gone once it is sent.

Without this, whoever may look at messages or read a backup could enter anybody's account.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

MASK = "••••••"
"""What people see in the place of a secret."""

SALT = "notifications.sealed"


def seal(secrets: Mapping[str, str]) -> str:
    """`secrets` as text that only this site can read; empty where there are none."""
    return _box().encrypt(json.dumps(dict(secrets)).encode()).decode() if secrets else ""


def unseal(text: str) -> dict[str, str]:
    """What was sealed. Raises ValueError when SECRET_KEY (and SECRET_KEY_FALLBACKS) is another than then."""
    if not text:
        return {}
    try:
        secrets: dict[str, str] = json.loads(_box().decrypt(text.encode()))
    except InvalidToken:
        raise ValueError("the secrets of this mail were sealed under another SECRET_KEY") from None
    return secrets


def _box() -> MultiFernet:
    return MultiFernet([Fernet(_key(secret)) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str | bytes) -> bytes:
    return base64.urlsafe_b64encode(salted_hmac(SALT, "key", secret=secret, algorithm="sha256").digest())
