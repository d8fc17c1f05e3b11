"""Mails whose sending depends on who has an account: decided here, where nobody can watch how long it takes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.db.models import Value
from django.db.models.functions import Lower

from contralock.accounts import mails
from contralock.accounts.managers import normalize
from contralock.accounts.models import User
from jobs import Sensitive, Skipped, job


@job(queue="email", describe=lambda **_: "Answer a request for a new password")
def mail_password_reset(*, email: Annotated[str, Sensitive], period: int) -> None:
    """Mail a reset link to the account that has this address, if one has.

    Safe to run twice: the mail's key is made of the account's state and `period`, so it is written once.
    """
    user = _owner(email)
    # Without a usable password the person logs in some other way, or not at all: that is for staff to change.
    if user is None or not user.has_usable_password():
        raise Skipped("no account to send it to")
    mails.password_reset(user, period=period)


@job(queue="email", describe=lambda **_: "Mail the link that confirms a new address")
def mail_email_change(*, user_id: int, asked_at: datetime) -> None:
    """Mail the confirming link to the address that the account is to have, unless it is somebody else's.

    Safe to run twice: the mail's key is made of the account's state and the time of asking.
    """
    user = User.objects.filter(pk=user_id, is_active=True).exclude(pending_email="").first()
    if user is None:
        raise Skipped("the change was withdrawn")
    other = _owner(user.pending_email)
    if other is not None and other.pk != user.pk:
        raise Skipped("the address has an account")
    mails.email_change(user, now=asked_at)


def _owner(email: str) -> User | None:
    """The active user with this address, whatever its case."""
    found = User.objects.alias(lower=Lower("email")).filter(lower=Lower(Value(normalize(email))))
    return found.filter(is_active=True).first()
