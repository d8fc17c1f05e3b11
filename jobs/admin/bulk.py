"""One move for many jobs: in batches, newest first, for a limited time."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db.models import QuerySet

from jobs.lifecycle import CannotMove
from jobs.models import Job

BATCH = 500
PATIENCE = 20.0
"""Seconds until a request stops and says so; a web server gives up on it after 30."""
TOLD = 5
"""Refusals that are shown word by word."""


@dataclass
class Tally:
    """What came of it."""

    done: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    refusals: list[str] = field(default_factory=list)
    stopped: bool = False


def each(jobs: QuerySet[Job], act: Callable[[uuid.UUID], str], *, record: Callable[[list[uuid.UUID]], None]) -> Tally:
    """Do it to each of these jobs. `record` is told, by batch, which ones were moved."""
    tally, end = Tally(), time.monotonic() + PATIENCE
    for batch in _batches(jobs):
        moved: list[uuid.UUID] = []
        for job_id in batch:
            if time.monotonic() > end:
                tally.stopped = True
                break
            try:
                said = act(job_id)
            except CannotMove as refusal:
                tally.refused += 1
                tally.refusals += [str(refusal)] if len(tally.refusals) < TOLD else []
            else:
                moved.append(job_id)
                tally.done[said] = tally.done.get(said, 0) + 1
        record(moved)
        if tally.stopped:
            break
    return tally


def _batches(jobs: QuerySet[Job]) -> Iterator[list[uuid.UUID]]:
    """By key, not by offset: moved jobs leave the filter that chose them."""
    ids = jobs.order_by("-pk").values_list("pk", flat=True)
    batch = list(ids[:BATCH])
    while batch:
        yield batch
        batch = list(ids.filter(pk__lt=batch[-1])[:BATCH])
