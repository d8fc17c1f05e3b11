"""What a person says about themselves."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from contralock.accounts.models import User


def update(*, user: User, changes: Mapping[str, str]) -> User:
    """Store some of a profile's columns, checked together with those that stay; returns the changed user.

    Raises ValidationError (by column) when they do not fit together, such as a VAT id of another country.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        for column, value in changes.items():
            setattr(locked, column, value)
        locked.clean()
        locked.save(update_fields=[*changes])
    return locked
