"""Sensitive arguments: sealed in the row, masked wherever people look.

    @job(queue="payment")
    def pay_out(*, account: str, iban: Annotated[str, Sensitive]) -> None: ...

The row's `args` hold a mask in their place; a column beside it holds them encrypted (Fernet: AES-128-CBC
with HMAC-SHA256). The first of JOBS_SECRET_KEYS seals, all of them open, so a key is changed by putting
the new one first and dropping the old one when no job sealed with it is left.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Annotated, Any, get_args, get_origin

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

MASK = "•••"
SHORTEST = 4
"""Characters; a shorter secret is not searched for in texts, since it would be found by chance."""


class _Sensitive:
    """Marks an argument: Annotated[str, Sensitive]."""

    def __repr__(self) -> str:
        return "Sensitive"


Sensitive = _Sensitive()


class CannotUnseal(Exception):
    """The arguments were sealed with a key that is not in JOBS_SECRET_KEYS."""


def is_sensitive(hint: Any) -> bool:
    """Whether an annotation carries the mark."""
    return get_origin(hint) is Annotated and any(mark is Sensitive for mark in get_args(hint)[1:])


def seal(stored: dict[str, Any], names: Iterable[str]) -> tuple[dict[str, Any], str | None]:
    """Stored arguments with the sensitive ones masked, and those sealed; None when there are none."""
    secret = {name: stored[name] for name in names if name in stored}
    if not secret:
        return stored, None
    sealed = _vault(tuple(_keys())).encrypt(json.dumps(secret).encode()).decode()
    return stored | dict.fromkeys(secret, MASK), sealed


def unseal(sealed: str | None) -> dict[str, Any]:
    """The sensitive arguments of a row. Raises CannotUnseal."""
    if sealed is None:
        return {}
    try:
        secret: dict[str, Any] = json.loads(_vault(tuple(_keys())).decrypt(sealed.encode()))
    except InvalidToken:
        raise CannotUnseal("The sensitive arguments were sealed with a key that is not in JOBS_SECRET_KEYS.") from None
    return secret


def words_of(secret: Any) -> tuple[str, ...]:
    """The texts in sensitive arguments that must not be seen, longest first."""
    return tuple(sorted({text for text in _texts(secret) if len(text) >= SHORTEST}, key=len, reverse=True))


def scrub(text: str, words: Iterable[str]) -> str:
    """`text` with every secret word masked."""
    for word in words:
        text = text.replace(word, MASK)
    return text


def scrub_value(value: Any, words: tuple[str, ...]) -> Any:
    """A JSON value with every secret word masked in its texts; anything that is not JSON is left as it is."""
    if not words:
        return value
    if isinstance(value, str):
        return scrub(value, words)
    if isinstance(value, dict):
        return {scrub_value(key, words): scrub_value(inner, words) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_value(inner, words) for inner in value]
    return MASK if not isinstance(value, bool) and str(value) in words else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _keys() -> list[str]:
    return settings.JOBS_SECRET_KEYS or [derived_key(settings.SECRET_KEY)]


@lru_cache(maxsize=4)
def _vault(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


@lru_cache(maxsize=4)
def derived_key(secret_key: str) -> str:
    """A Fernet key made from SECRET_KEY, for whoever sets no JOBS_SECRET_KEYS."""
    made = HKDF(algorithm=hashes.SHA256(), length=32, salt=b"contralock", info=b"jobs.secrets").derive(
        secret_key.encode()
    )
    return base64.urlsafe_b64encode(made).decode()
