"""Claiming from a queue of which only so much may run."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from jobs import statements as sql
from jobs.database import Row, rows


def claim(statement: str, params: dict[str, Any]) -> list[Row]:
    """Run a claim as far as the limits of its job's queue allow; nothing for a queue without any.

    Workers take turns at the queue's row, so that each sees what those before it claimed. A fold of a queue with a
    limited number of running jobs has one job: each that is claimed counts as running.
    """
    if not rows(sql.LIMITED, params):
        return []
    with transaction.atomic():
        locked = rows(sql.LOCK_LIMIT, params)
        if not locked:
            return []
        [(queue, places, starts)] = rows(sql.ROOM, {"queue": locked[0][0]})
        room = min(number for number in (places, starts) if number is not None)
        if room < 1:
            return []
        size = 1 if places is not None else min(params.get("size", 1), room)
        found = rows(statement, params | {"permitted": True, "size": size})
        if found and starts is not None:
            rows(sql.SPEND, {"queue": queue, "runs": len(found)})
    return found
