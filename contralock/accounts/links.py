"""The signed tokens in the links of mails that confirm an address: expiring, and good for one use.

A token carries a digest of what the account looked like when it was made. Using it changes the account, and so do
a newer request and (for a change of address) a new password: every older token is void from then on.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.core.signing import BadSignature, Signer

from contralock.accounts.models import User

VERIFY = "verify"
"""Confirms the address that an account has."""

CHANGE = "change"
"""Confirms the address that an account is to have."""

LIFETIMES = {VERIFY: timedelta(days=3), CHANGE: timedelta(days=1)}


class LinkRefused(Exception):
    """The token was tampered with, has expired, was used, or is not the newest."""


def make(*, purpose: str, user: User, now: datetime) -> str:
    """A token for `user` as the account is at this moment."""
    expires = int((now + LIFETIMES[purpose]).timestamp())
    return _signer(purpose).sign_object({"user": user.pk, "state": _state(purpose, user), "expires": expires})


def owner(*, purpose: str, token: str) -> User | None:
    """Whose token it is, however old or used; None when it was never ours."""
    claims = _claims(purpose, token)
    return None if claims is None else User.objects.filter(pk=claims["user"]).first()


def check(*, purpose: str, token: str, now: datetime, lock: bool = False) -> User:
    """The active user whose token is good now; with `lock` nobody else can use it until the transaction ends.

    Raises LinkRefused.
    """
    claims = _claims(purpose, token)
    if claims is None or claims["expires"] <= now.timestamp():
        raise LinkRefused
    users = User.objects.filter(pk=claims["user"], is_active=True)
    user = (users.select_for_update() if lock else users).first()
    if user is None or claims["state"] != _state(purpose, user):
        raise LinkRefused
    return user


def _claims(purpose: str, token: str) -> dict[str, Any] | None:
    try:
        claims: dict[str, Any] = _signer(purpose).unsign_object(token)
    except (BadSignature, ValueError):
        return None
    return claims


def _signer(purpose: str) -> Signer:
    """One salt per purpose: a token for one is none for another."""
    return Signer(salt=f"contralock.accounts.links.{purpose}")


def _state(purpose: str, user: User) -> str:
    parts = [user.email, str(user.email_verified_at)]
    if purpose == CHANGE:
        parts += [user.pending_email, user.password]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
