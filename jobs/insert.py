"""Inserting job rows: one statement for one row or for thousands, and harmless to repeat."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction

from jobs.database import rows
from jobs.doorbell import Bell
from jobs.outcomes import lost_connection
from jobs.states import State

BATCH = 1000
"""Rows in one statement."""

# Times that are relative are counted by the database's clock. The ids are the caller's, so a repeat of
# rows that did arrive changes nothing.
_INSERT = """
INSERT INTO jobs_job (id, kind, queue, priority, args, sealed_args, state, runs, failures, crashes, max_attempts,
    available_at, expires_at, dispatch_no, rings, published_at, unique_key, concurrency_key, subject, tags, options,
    enqueued_by, trace, schedule_id, slot, error, cancel_requested)
SELECT id, kind, queue, priority, args, sealed_args, state, 0, 0, 0, max_attempts,
    COALESCE(eta, statement_timestamp() + make_interval(secs => COALESCE(countdown, 0))),
    COALESCE(expires_at, statement_timestamp() + make_interval(secs => expires_in)),
    rung::int, rung::int, CASE WHEN rung THEN statement_timestamp() END, unique_key, concurrency_key, subject,
    ARRAY(SELECT jsonb_array_elements_text(tags)), options, enqueued_by, trace, schedule_id, slot, '', false
FROM jsonb_to_recordset(%s::jsonb) AS r (id uuid, kind text, queue text, priority smallint, args jsonb,
    sealed_args text, state text,
    max_attempts int, eta timestamptz, countdown float8, expires_at timestamptz, expires_in float8, rung bool,
    unique_key text, concurrency_key text, subject text, tags jsonb, options jsonb, enqueued_by text, trace text,
    schedule_id bigint, slot timestamptz)
ON CONFLICT (id) DO NOTHING
"""


@dataclass(kw_only=True)
class NewJob:
    """A job that is about to be written. `countdown` and `expires_in` are seconds from the insert."""

    id: uuid.UUID
    kind: str
    queue: str
    priority: int
    args: dict[str, Any]
    sealed_args: str | None
    state: State
    max_attempts: int
    eta: datetime | None
    countdown: float | None
    expires_at: datetime | None
    expires_in: float | None
    unique_key: str | None
    concurrency_key: str | None
    subject: str
    tags: tuple[str, ...]
    options: dict[str, Any]
    enqueued_by: str
    trace: str
    schedule_id: int | None
    slot: datetime | None
    rung: bool = False

    def bell(self) -> Bell:
        """Its first doorbell."""
        return Bell(job_id=self.id, dispatch_no=1, kind=self.kind, queue=self.queue, priority=self.priority)


def insert(made: Sequence[NewJob]) -> None:
    """Insert rows, all or none; outside a transaction again on a fresh connection if PostgreSQL was lost on the way.

    Raises IntegrityError when a unique key is taken.
    """
    if connection.in_atomic_block:
        _write(made)
        return
    try:
        _write_alone(made)
    except (OperationalError, InterfaceError) as error:
        if not lost_connection(error):
            raise
        connection.close()
        _write_alone(made)


def _write_alone(made: Sequence[NewJob]) -> None:
    with transaction.atomic() if len(made) > BATCH else nullcontext():
        _write(made)


def _write(made: Sequence[NewJob]) -> None:
    for text in _batches(made):
        rows(_INSERT, [text])


def _batches(made: Sequence[NewJob]) -> Iterator[str]:
    for batch in batched(made, BATCH):
        yield json.dumps([vars(row) for row in batch], default=str)
