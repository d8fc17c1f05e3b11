"""The keepers' shared row: proof that somebody keeps, and the memory that a gap in keeping needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from jobs.database import rows

_BEGIN = """
INSERT INTO jobs_keeper AS k (id, ticked_at, reap_after, epoch, epoch_at)
VALUES (1, %(now)s, %(now)s, '', %(now)s)
ON CONFLICT (id) DO UPDATE SET
    reap_after = CASE
        WHEN %(now)s - k.ticked_at > make_interval(secs => %(gap)s)
            OR k.ticked_at - %(now)s > make_interval(secs => %(gap)s)
        THEN %(now)s + make_interval(secs => %(lease)s) ELSE k.reap_after END,
    ticked_at = %(now)s
RETURNING k.reap_after, k.epoch, k.epoch_at
"""
_END = "UPDATE jobs_keeper SET ticked_at = clock_timestamp() WHERE id = 1"
_NEW_EPOCH = "UPDATE jobs_keeper SET epoch = %s, epoch_at = %s WHERE id = 1"


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """What the shared row said at the beginning of a tick."""

    reap_after: datetime
    """No lease is taken away before this: workers could not renew while PostgreSQL was away."""
    epoch: str
    epoch_at: datetime


def begin(now: datetime) -> Pulse:
    """Begin a tick. A gap since the last one (of any keeper) grants every worker one more lease.

    After an outage of PostgreSQL, a jump of its clock or a night without a keeper, leases look expired
    that their living owners only could not renew; each gets the time to do so. A tick that is merely
    slow is no gap: it marks its end as well. Nor are two keepers that tick at once and write in the other order.
    """
    params = {"now": now, "gap": gap(), "lease": settings.JOBS_LEASE}
    reap_after, epoch, epoch_at = rows(_BEGIN, params)[0]
    return Pulse(reap_after=reap_after, epoch=epoch, epoch_at=epoch_at)


def gap() -> float:
    """Seconds without a tick that count as a gap."""
    seconds: float = max(settings.JOBS_LEASE / 4, settings.JOBS_TICK * 3)
    return seconds


def end() -> None:
    """End a tick that reached PostgreSQL to its end."""
    rows(_END)


def note_epoch(epoch: str, *, now: datetime) -> None:
    """Remember that Redis is a new one: every doorbell rung before `now` counts as lost."""
    rows(_NEW_EPOCH, [epoch, now])
