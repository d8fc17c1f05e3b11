"""Confirming an account's address, and changing it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from contralock.accounts import links, mails
from contralock.accounts.links import LinkRefused
from contralock.accounts.managers import normalize
from contralock.accounts.models import User
from contralock.accounts.passwords import WrongCurrentPassword
from contralock.accounts.services import duplicate_means
from contralock.accounts.tasks import mail_email_change


class SameAddress(Exception):
    """The new address is the one that the account has."""


def verify(*, token: str, now: datetime) -> User:
    """Note that the address is confirmed. Raises LinkRefused, also for a token used before."""
    with transaction.atomic():
        user = links.check(purpose=links.VERIFY, token=token, now=now, lock=True)
        if user.email_verified_at is not None:
            raise LinkRefused
        user.email_verified_at = now
        user.save(update_fields=["email_verified_at"])
    return user


def resend_verification(*, user: User, now: datetime) -> None:
    """Mail the link again, at most once in five minutes; nothing when the address is confirmed."""
    if user.email_verified_at is None:
        mails.verify_email(user, now=now)


def ask_change(*, user: User, email: str, password: str, now: datetime) -> None:
    """Have a link mailed to the new address, and a notice to the old one if that is known to be the person's.

    Whether the new address has an account is looked up by the job, so that nobody can ask here.
    Raises WrongCurrentPassword and SameAddress.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        if not locked.check_password(password):
            raise WrongCurrentPassword
        if normalize(email) == locked.email:
            raise SameAddress
        locked.pending_email = normalize(email)
        locked.save(update_fields=["pending_email"])
        if locked.email_verified_at is not None:  # else it may be a stranger's, mistyped
            mails.email_change_requested(locked)
        mail_email_change.delay(user_id=locked.pk, asked_at=now)


def withdraw_change(*, user: User) -> None:
    """Forget the address that was asked for; its link is void."""
    User.objects.filter(pk=user.pk).update(pending_email="")


def confirm_change(*, token: str, now: datetime) -> User:
    """Make the new address the account's, and tell the old one.

    Raises LinkRefused, also when the address was taken meanwhile.
    """
    with duplicate_means(LinkRefused()), transaction.atomic():
        user = links.check(purpose=links.CHANGE, token=token, now=now, lock=True)
        if not user.pending_email:
            raise LinkRefused
        old, was_known = user.email, user.email_verified_at is not None
        user.email, user.pending_email, user.email_verified_at = user.pending_email, "", now
        user.save(update_fields=["email", "pending_email", "email_verified_at"])
        if was_known:
            mails.email_changed(user, old_email=old)
    return user
