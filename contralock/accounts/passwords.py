"""Setting a new password: with the old one, or with a link from a mail."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.http import urlsafe_base64_decode

from contralock.accounts import api_tokens, lockout, mails
from contralock.accounts.links import LinkRefused
from contralock.accounts.managers import normalize
from contralock.accounts.models import User
from contralock.accounts.tasks import mail_password_reset


class WrongCurrentPassword(Exception):
    """The password that should have proved who asks is not the account's."""


def ask_reset(*, email: str, now: datetime) -> None:
    """Have a reset link mailed to `email` if it has an account.

    Whether it has one is looked up by the job, so that neither the answer nor the time it takes tells.
    """
    who = salted_hmac("contralock.accounts.passwords", normalize(email).lower()).hexdigest()[:32]
    period = mails.period(now)
    mail_password_reset.apply_async(
        kwargs={"email": email, "period": period},
        unique_key=f"password_reset:{who}:{period}",
    )


def owner_of_reset(*, uid: str, token: str) -> User | None:
    """The active user for whom `token` sets a new password now, or None."""
    user = _find(uid)
    return user if user is not None and default_token_generator.check_token(user, token) else None


def reset(*, uid: str, token: str, password: str, now: datetime) -> User:
    """Set a new password by the link from a mail, which proves that the address is the person's.

    Ends every session, revokes every API token, withdraws a change of address that was under way and
    lifts a lock-out. Raises LinkRefused, and ValidationError for a password that is too weak: the link
    stays good then.
    """
    with transaction.atomic():
        user = _find(uid, lock=True)
        if user is None or not default_token_generator.check_token(user, token):
            raise LinkRefused
        validate_password(password, user=user)
        user.email_verified_at = user.email_verified_at or now
        _set(user, password)
        lockout.lift(email=user.email)
    return user


def change(*, user: User, current: str, password: str) -> User:
    """Set a new password with the old one: other sessions end, API tokens are revoked. Returns the changed user.

    Raises WrongCurrentPassword, and ValidationError for a password that is too weak.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        if not locked.check_password(current):
            raise WrongCurrentPassword
        validate_password(password, user=locked)
        _set(locked, password)
    return locked


def _set(user: User, password: str) -> None:
    """The new password and what it ends; sessions end by themselves, since they carry a digest of the old one."""
    user.set_password(password)
    user.pending_email = ""  # whoever asked for that may be who the password is changed against
    user.save(update_fields=["password", "pending_email", "email_verified_at"])
    api_tokens.revoke_all(user=user)
    mails.password_changed(user)


def _find(uid: str, *, lock: bool = False) -> User | None:
    """The active user behind the `uid` of a link."""
    try:
        pk = int(urlsafe_base64_decode(uid).decode())
    except (ValueError, OverflowError):
        return None
    users = User.objects.filter(pk=pk, is_active=True)
    return (users.select_for_update() if lock else users).first()
