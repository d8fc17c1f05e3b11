"""Who wants no reminders. One click in a mail says so (RFC 8058), staff may lift it; other mails are sent regardless.

The link names nobody: its token is random. It is short, because mail programs ignore addresses that a relay has broken.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from notifications.models import OPAQUE, Subscriber


class CannotLift(ValueError):
    """Nothing was lifted; the text says why."""


def link(user_id: int) -> str:
    """The address that unsubscribes this person: by POST, to GET it shows a button."""
    row = Subscriber(user_id=user_id, token=secrets.token_urlsafe(16))
    # bulk_create: the one way to "on conflict do nothing", which leaves the caller's transaction whole.
    Subscriber.objects.bulk_create([row], ignore_conflicts=True)
    token = Subscriber.objects.values_list("token", flat=True).get(user_id=user_id)
    return settings.SITE_URL.rstrip("/") + reverse("unsubscribe", kwargs={"token": token})


def subscriber(token: str) -> Subscriber | None:
    """Whose token it is."""
    return _whose(token).select_related("user").first()


def unsubscribe(token: str, *, now: datetime) -> bool:
    """Send this person no more reminders. False for a token that was never ours; a second time changes nothing."""
    mine = _whose(token)
    if mine.filter(unsubscribed_at=None).update(unsubscribed_at=now, lifted_at=None, lifted_by="", lifted_why=""):
        return True
    return mine.exists()


def _whose(token: str) -> QuerySet[Subscriber]:
    """What is no token is not asked for: PostgreSQL takes no NUL."""
    return Subscriber.objects.filter(token=token) if re.match(OPAQUE, token) else Subscriber.objects.none()


def unsubscribed(user_ids: Iterable[int]) -> set[int]:
    """Those of them who want no reminders."""
    found = Subscriber.objects.filter(user_id__in=list(user_ids), unsubscribed_at__isnull=False)
    return set(found.values_list("user_id", flat=True))


def lift(user_id: int, *, by: str, why: str, now: datetime) -> Subscriber:
    """Send this person reminders again, because they asked for it.

    Raises CannotLift without a reason, or when they are not unsubscribed.
    """
    if not why.strip():
        raise CannotLift("Say why: others will ask.")
    mine = Subscriber.objects.filter(user_id=user_id, unsubscribed_at__isnull=False)
    if not mine.update(unsubscribed_at=None, lifted_at=now, lifted_by=by, lifted_why=why.strip()):
        raise CannotLift("They are sent reminders already.")
    return Subscriber.objects.get(user_id=user_id)
