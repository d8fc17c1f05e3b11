"""Making accounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils import timezone

from contralock.accounts import mails
from contralock.accounts.choices import Language, Role
from contralock.accounts.managers import normalize
from contralock.accounts.models import User

EMAIL_INDEXES = ("user_email_ci", "accounts_user_email_key")


class EmailTaken(Exception):
    """Somebody has an account with this email address already, in whatever case."""


def register(
    *,
    email: str,
    password: str,
    first_name: str,
    last_name: str,
    role: str = Role.CLIENT,
    language: str = Language.ENGLISH,
    time_zone: str = "UTC",
    country: str = "",
) -> User:
    """Create an account and its welcome mail (message and job) in one transaction: all of it or nothing.

    The caller has validated the fields. Raises EmailTaken, also when two people register one address
    at the same moment, and ValueError for the role staff, which only the admin gives.
    """
    if role not in (Role.CLIENT, Role.FREELANCER):
        raise ValueError(f"Nobody registers as {role!r}: staff are appointed in the admin.")
    if email_taken(email=email):  # before the slow hash; the unique index has the last word
        raise EmailTaken(email)
    with duplicate_means(EmailTaken(email)), transaction.atomic():
        user = User.objects.create_user(
            email=email, password=password, first_name=first_name, last_name=last_name,
            role=role, language=language, time_zone=time_zone, country=country,
        )  # fmt: skip
        mails.welcome(user, now=timezone.now())
    return user


def email_taken(*, email: str) -> bool:
    """Whether an account has this address."""
    return User.objects.alias(lower=Lower("email")).filter(lower=Lower(Value(normalize(email)))).exists()


@contextmanager
def duplicate_means(refusal: Exception) -> Iterator[None]:
    """Raise `refusal` where PostgreSQL says that one of the email indexes was violated."""
    try:
        yield
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) in EMAIL_INDEXES:
            raise refusal from None
        raise
