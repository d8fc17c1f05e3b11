"""When Stripe does not answer, the payment queue waits, and one call looks now and then whether it is back.

The pause is the breaker's own (owner `breaker`, with an end): an operator's pause is neither lifted nor replaced.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from jobs import queues
from jobs.database import rows

QUEUE = "payment"
OWNER = "breaker"
LIMIT = 5
"""Failures in a row, of all workers together, until nobody calls any more."""
FIRST, LONGEST = timedelta(seconds=5), timedelta(minutes=5)
PROBE = timedelta(seconds=60)
"""How long the one that looks has; longer than a call may take."""

_STATE = "SELECT retry_at, probe_until FROM payments_breaker WHERE id = 1"
_PROBE = """
UPDATE payments_breaker SET probe_until = %(until)s
WHERE id = 1 AND retry_at <= %(now)s AND (probe_until IS NULL OR probe_until <= %(now)s) RETURNING id
"""
_FAILED = """
INSERT INTO payments_breaker AS b (id, failures, openings, error) VALUES (1, 1, 0, %(error)s)
ON CONFLICT (id) DO UPDATE SET failures = b.failures + 1, error = %(error)s
RETURNING failures, openings, retry_at
"""
_OPEN = """
UPDATE payments_breaker SET openings = openings + 1, retry_at = %(until)s, probe_until = NULL
WHERE id = 1 AND openings = %(openings)s RETURNING id
"""
_CLOSE = """
UPDATE payments_breaker b SET failures = 0, openings = 0, retry_at = NULL, probe_until = NULL, error = ''
FROM (SELECT id, openings FROM payments_breaker WHERE id = 1 FOR UPDATE) old
WHERE b.id = old.id AND (b.failures > 0 OR b.openings > 0) RETURNING old.openings
"""


def wait(now: datetime) -> timedelta | None:
    """How long to wait before calling; None: call. While it is open one caller at a time is let through to look."""
    found = rows(_STATE)
    if not found or found[0][0] is None:
        return None
    retry_at, probe_until = found[0]
    if retry_at > now:
        return timedelta(seconds=(retry_at - now).total_seconds())
    if rows(_PROBE, {"now": now, "until": now + PROBE}):
        return None
    return max(timedelta(seconds=1), (probe_until or now) - now)


def failed(error: str, *, now: datetime) -> None:
    """A call got no answer, or a server's error. After LIMIT in a row, or one of who looked, the queue is paused."""
    [(failures, openings, retry_at)] = rows(_FAILED, {"error": error[:500]})
    if failures < LIMIT or (retry_at is not None and retry_at > now):
        return
    until = now + min(LONGEST, FIRST * 2 ** min(openings, 20))
    if rows(_OPEN, {"until": until, "openings": openings}):
        queues.pause(QUEUE, owner=OWNER, by="payments", reason=f"Stripe does not answer: {error}"[:500], until=until)


def succeeded() -> None:
    """A call was answered: the queue is open, as far as the breaker is concerned."""
    closed = rows(_CLOSE)
    if closed and closed[0][0]:
        queues.resume(QUEUE, owner=OWNER)
