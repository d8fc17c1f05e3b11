"""API tokens: made, listed, revoked. django-rest-knox makes the token and keeps its hash."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from contralock.accounts.models import ApiToken, User

LIFETIME = timedelta(days=90)
"""Of a token for which nothing else was asked."""

LONGEST = timedelta(days=366)
MOST = 20
"""Tokens that one person may have."""


class TooMany(Exception):
    """The person has MOST tokens already."""


class NotSuchAnExpiry(ValueError):
    """It lies in the past, or more than LONGEST ahead."""


def create(*, user: User, name: str, expires_at: datetime | None, now: datetime) -> tuple[ApiToken, str]:
    """A new token: its row, and the token itself, which nobody can read again. Without `expires_at` it lives LIFETIME.

    Raises NotSuchAnExpiry and TooMany.
    """
    lifetime = LIFETIME if expires_at is None else expires_at - now
    if not timedelta(0) < lifetime <= LONGEST:
        raise NotSuchAnExpiry
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two requests at once must not both be the last
        ApiToken.objects.filter(user=user, expiry__lte=now).delete()
        if ApiToken.objects.filter(user=user).count() >= MOST:
            raise TooMany
        row, token = ApiToken.objects.create(user=user, expiry=lifetime, name=name)
    return row, token


def of(*, user: User, now: datetime) -> QuerySet[ApiToken]:
    """The person's tokens that are good now, newest first."""
    return ApiToken.objects.filter(user=user, expiry__gt=now)


def revoke(*, user: User, token_id: UUID) -> bool:
    """End one token of this person; False when there is none of this id."""
    return ApiToken.objects.filter(user=user, id=token_id).delete()[0] > 0


def revoke_all(*, user: User) -> int:
    """End every token of this person; how many there were."""
    return ApiToken.objects.filter(user=user).delete()[0]
