"""Sessions and tokens that nobody can use any more."""

from __future__ import annotations

from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import models
from knox.models import get_token_model

BATCH = 1000

_STALE: dict[str, tuple[type[models.Model], str]] = {
    "sessions": (Session, "expire_date"),
    "tokens": (get_token_model(), "expiry"),
}
KINDS = tuple(_STALE)


def stale(now: datetime) -> int:
    """How many there are, of every kind."""
    return sum(_stale(kind, now).count() for kind in KINDS)


def remove_batch(kind: str, *, now: datetime) -> int:
    """Remove up to BATCH expired ones of a kind of KINDS; how many were removed."""
    # Skip locked: a login that renews its session just now is not waited for.
    some = _stale(kind, now).select_for_update(skip_locked=True).values("pk")[:BATCH]
    removed, _ = _STALE[kind][0]._default_manager.filter(pk__in=some).delete()  # noqa: SLF001 - Django's public spelling
    return removed


def _stale(kind: str, now: datetime) -> models.QuerySet[models.Model]:
    model, expiry = _STALE[kind]
    return model._default_manager.filter(**{f"{expiry}__lt": now}).order_by(expiry)  # noqa: SLF001
