"""How much of a queue may run: so many jobs at once, so many starts in a period, whatever the number of workers.

Limits are kept at the claim (jobs/lifecycle/limited.py), in the database's time. A period begins with the first start
after the one before has ended, as that of BullMQ's limiter; up to `rate` runs start in it at once. Who is refused
stays waiting, at the price of nothing, and is rung when there is room.
"""

from __future__ import annotations

import math
import re
from datetime import datetime

from django.db import transaction

from jobs import statements as sql
from jobs.database import now as database_now
from jobs.database import rows
from jobs.maintenance.relay import ring_queue, wake
from jobs.models import QueueLimit
from jobs.queues import known

LONGEST = 31 * 24 * 3600.0
"""Seconds of the longest period."""
MOST = 1_000_000
"""Of anything that is limited."""
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def limit(
    queue: str, *, concurrency: int | None = None, rate: int | None = None, period: float | None = None, by: str = ""
) -> QueueLimit:
    """Set a queue's limits, in place of any before; jobs that run already are let be.

    `concurrency` is how many may run at once, `rate` how many may start in `period` seconds (1 or more).
    Raises jobs.queues.UnknownQueue, or ValueError when the numbers limit nothing or make no sense.
    """
    known(queue)
    _check(concurrency, rate, period)
    values = {"concurrency": concurrency, "rate": rate, "period": period, "by": by, "changed_at": database_now()}
    with transaction.atomic():
        set_, _ = QueueLimit.objects.update_or_create(queue=queue, defaults=values)
        _look_again(queue)
    return set_


def lift(queue: str) -> bool:
    """Take a queue's limits away; False when it had none. Raises jobs.queues.UnknownQueue."""
    known(queue)
    with transaction.atomic():
        lifted, _ = QueueLimit.objects.filter(queue=queue).delete()
        if lifted:
            _look_again(queue)
    return bool(lifted)


def read_rate(text: str) -> tuple[int, float]:
    """`10/s`, `100/5m` or `1000/h` as a number and seconds. Raises ValueError with what to write."""
    found = re.fullmatch(r"([0-9]{1,7})/([0-9]{0,7})([smhd])", text.strip())
    if not found:
        raise ValueError(f"A rate is written 10/s, 100/5m, 1000/h or 5/d, not {text!r}.")
    number, many, unit = found.groups()
    return int(number), int(many or 1) * UNITS[unit]


def write_rate(rate: int, period: float) -> str:
    """What `read_rate` reads: the largest unit that fits."""
    for unit, seconds in reversed(UNITS.items()):
        if period % seconds == 0:
            many = int(period / seconds)
            return f"{rate}/{'' if many == 1 else many}{unit}"
    return f"{rate}/{math.ceil(period)}s"


def words(limits: QueueLimit) -> str:
    """The limits for people: `at most 2 at once, 10 starts in 1 s`."""
    parts = []
    if limits.concurrency is not None:
        parts.append(f"{limits.concurrency} at once")
    if limits.rate is not None:
        parts.append(f"{limits.rate} starts in {limits.period:g} s")
    return "at most " + ", ".join(parts)


def why_held(limits: QueueLimit, now: datetime) -> str:
    """Why nothing more may start now; empty when something may."""
    found = rows(sql.ROOM, {"queue": limits.queue})
    if not found:
        return ""
    _, places, starts = found[0]
    if places is not None and places < 1:
        return f"all that may run at once are running (limit {limits.concurrency})"
    if starts is not None and starts < 1 and limits.window_start and limits.period:
        left = limits.period - (now - limits.window_start).total_seconds()
        return (
            f"{limits.rate} runs started in this period of {limits.period:g} s; the next begins in {max(left, 0):.1f} s"
        )
    return ""


def next_window() -> datetime | None:
    """When the next period begins of a queue that has used its present one up and has jobs waiting."""
    moment: datetime | None = rows(sql.NEXT_WINDOW, {"now": database_now()})[0][0]
    return moment


def _check(concurrency: int | None, rate: int | None, period: float | None) -> None:
    if concurrency is None and rate is None:
        raise ValueError("A limit says how many may run at once, or how many may start in a period; or lift it.")
    for name, number in (("concurrency", concurrency), ("rate", rate)):
        if number is not None and not 1 <= number <= MOST:
            raise ValueError(f"{name} is 1 to {MOST:,}, got {number}. To stop a queue, pause it.")
    if (rate is None) != (period is None):
        raise ValueError("A rate needs its period, in seconds, and a period its rate.")
    if period is not None and not 1 <= period <= LONGEST:
        raise ValueError(f"A period is 1 second to {LONGEST:,.0f} seconds, got {period:g}.")


def _look_again(queue: str) -> None:
    """Its jobs may be allowed now: what was rung so far counts as lost, and its head is rung."""
    wake(queue)
    transaction.on_commit(lambda: ring_queue(queue), robust=True)
