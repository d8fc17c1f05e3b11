"""Who somebody is: the one place that compares a password with an address."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import authenticate

from contralock.accounts import lockout
from contralock.accounts.models import User


class WrongPassword(Exception):
    """No active account has this address and password. Which of the two is wrong is not said."""


class LockedOut(Exception):
    """Too many failures: nobody enters this account from here for `wait` seconds, not even with the password."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


def identify(*, request: Any, email: str, password: str, now: datetime) -> User:
    """The active user with this address and password. Failures are counted, by account and address.

    `request` says where it came from. Raises WrongPassword and LockedOut. Takes as long for an address
    without an account as for a wrong password.
    """
    user = authenticate(request, username=email.strip(), password=password)
    if isinstance(user, User):
        return user
    wait = lockout.wait(email=email, ip=lockout.client_ip(request), now=now)
    if getattr(request, "axes_locked_out", False):
        raise LockedOut(max(1, wait))
    raise WrongPassword
