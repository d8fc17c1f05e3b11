"""From when on the books are compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs import selectors
from payments import recovery
from payments.models import Operation, Reconciliation

OVERLAP = timedelta(minutes=15)
"""Between two windows: how far Stripe's clock may be from ours, and how long a movement may take to be listed."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """`restored`: since when the payment queue is paused because the database was restored; None if it is not."""

    since: datetime
    until: datetime
    restored: datetime | None


def window(*, hours: int, now: datetime) -> Window:
    """The last `hours`, and more: nothing is left out since the last reconciliation that finished.

    After a restore it reaches back to the last one that the backup knew; what came later is known to Stripe only.
    """
    restored = restored_at(now)
    finished = Reconciliation.objects.filter(finished_at__isnull=False)
    if restored:
        finished = finished.filter(finished_at__lt=restored)
    known = finished.order_by("-started_at").values_list("started_at", flat=True).first()
    began = known or Operation.objects.order_by("created_at").values_list("created_at", flat=True).first() or now
    return Window(since=min(now - timedelta(hours=hours), began - OVERLAP), until=now, restored=restored)


def restored_at(now: datetime) -> datetime | None:
    """When the payment queue was paused after a restore; None when it is not."""
    held = selectors.pauses(now).get(recovery.QUEUE, [])
    return next((pause.created_at for pause in held if pause.owner == recovery.OWNER), None)
