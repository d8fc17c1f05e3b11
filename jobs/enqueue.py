"""Writing jobs: a row in the caller's transaction, a doorbell when it commits."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.db import transaction
from django.utils import timezone

from jobs.database import rows
from jobs.ids import uuid7
from jobs.insert import NewJob, insert
from jobs.kinds import Kind
from jobs.lifecycle import clean
from jobs.models import UNFINISHED_STATES, Job
from jobs.options import InvalidOptions, Options
from jobs.ring import choose, ring_on_commit
from jobs.secrets import seal
from jobs.states import State

__all__ = ["InvalidOptions", "JobHandle", "adopt", "enqueue", "enqueue_json", "enqueue_many"]


@dataclass(frozen=True)
class JobHandle:
    """What a caller gets: which job stands for the call."""

    id: uuid.UUID
    created: bool = True
    """False when a job with the same unique key was there already, and this is that one."""

    @property
    def task_id(self) -> str:
        """The id as text, under Celery's name."""
        return str(self.id)

    @property
    def backend(self) -> Any:
        """Celery's result backend, which is switched off; Flower asks for it when it enqueues."""
        return current_app.backend

    @property
    def state(self) -> State:
        """Where the job is now. Raises Job.DoesNotExist when it has left the table."""
        return State(Job.objects.values_list("state", flat=True).get(pk=self.id))


def enqueue(kind: Kind, *, args: Any, kwargs: dict[str, Any] | None, options: dict[str, Any]) -> JobHandle:
    """Write one job. Raises InvalidArguments or InvalidOptions at the caller; nothing is written then."""
    if args:
        raise InvalidOptions(f"{kind.name}: arguments are keyword-only; use .delay(name=value).")
    return _enqueue_one(kind, kind.arguments.dump(kwargs or {}), kwargs or {}, Options.read(kind, options))


def enqueue_many(kind: Kind, *, calls: Iterable[dict[str, Any]], options: dict[str, Any]) -> list[JobHandle]:
    """Write many jobs of one kind in one go. Keys that would make them exclude each other are refused."""
    read = Options.read(kind, options)
    if read.unique_key is not None:
        raise InvalidOptions(f"{kind.name}: delay_many shares its options, so unique_key would leave one job only.")
    made = [_row(kind, kind.arguments.dump(kwargs), kwargs, read) for kwargs in calls]
    _insert_and_ring(made)
    return [JobHandle(row.id) for row in made]


def enqueue_json(kind: Kind, kwargs: dict[str, Any], **options: Any) -> JobHandle:
    """Write one job whose arguments come as JSON (command line, schedule, adopted message)."""
    typed = kind.arguments.load(kwargs)
    return _enqueue_one(kind, kind.arguments.dump(typed), typed, Options.read(kind, options))


def adopt(kind: Kind, *, job_id: uuid.UUID, args: Any, kwargs: dict[str, Any]) -> str:
    """Make a job of a plain Celery message. A message delivered twice makes one job."""
    if args:
        raise InvalidOptions(f"{kind.name}: arguments are keyword-only; send kwargs.")
    typed = kind.arguments.load(kwargs)
    row = _row(kind, kind.arguments.dump(typed), typed, Options(by="adopted from a Celery message"))
    row.id = job_id
    with transaction.atomic():
        if Job.objects.filter(pk=job_id).exists():
            return "adopted before"
        _insert_and_ring([row])
    return "adopted"


def _enqueue_one(kind: Kind, stored: dict[str, Any], kwargs: dict[str, Any], options: Options) -> JobHandle:
    row = _row(kind, stored, kwargs, options)
    if options.unique_key is None:
        _insert_and_ring([row])
        return JobHandle(row.id)
    with transaction.atomic():
        holder = _holder(row, options)
        if holder != row.id:
            return JobHandle(holder, created=False)
        _insert_and_ring([row])
        return JobHandle(row.id)


def _holder(row: NewJob, options: Options) -> uuid.UUID:
    """Which job holds the unique key now: this one if it is free."""
    if options.unique_for is not None:
        params = {"key": options.unique_key, "id": row.id, "seconds": options.unique_for}
        rows(_CLAIM_KEY, params)
        held = rows("SELECT job_id FROM jobs_uniqueclaim WHERE key = %(key)s", params)
    else:
        # Serialises those who enqueue the same key, so that looking and inserting are one step.
        rows("SELECT pg_advisory_xact_lock(hashtextextended('jobs.unique_key:' || %s, 0))", [options.unique_key])
        held = rows(
            "SELECT id FROM jobs_job WHERE unique_key = %s AND state = ANY(%s)",
            [options.unique_key, UNFINISHED_STATES],
        )
    holder: uuid.UUID = held[0][0] if held else row.id
    return holder


_CLAIM_KEY = """
INSERT INTO jobs_uniqueclaim AS held (key, job_id, until)
VALUES (%(key)s, %(id)s, clock_timestamp() + make_interval(secs => %(seconds)s))
ON CONFLICT (key) DO UPDATE SET job_id = excluded.job_id, until = excluded.until
WHERE held.until <= clock_timestamp()
"""


def _row(kind: Kind, stored: dict[str, Any], kwargs: dict[str, Any], options: Options) -> NewJob:
    expires_in, expires_at = options.expiry
    shown, sealed = seal(stored, kind.arguments.sensitive)
    return NewJob(
        id=uuid7(),
        kind=kind.name,
        queue=options.queue or kind.queue,
        priority=kind.priority if options.priority is None else options.priority,
        args=shown,
        sealed_args=sealed,
        state=State.DELAYED if options.is_later(timezone.now()) else State.WAITING,
        max_attempts=kind.max_attempts,
        eta=options.eta,
        countdown=options.countdown,
        expires_at=expires_at,
        expires_in=expires_in,
        unique_key=None if options.unique_for is not None else options.unique_key,
        concurrency_key=options.concurrency_key,
        subject=clean(options.subject or _subject(kind, kwargs) or "")[:200],
        tags=options.tags,
        options=options.as_given,
        enqueued_by=options.by,
        trace=options.trace,
        schedule_id=options.schedule_id,
        slot=options.slot,
    )


def _subject(kind: Kind, kwargs: dict[str, Any]) -> str | None:
    return kind.subject(**kwargs) if kind.subject else None


def _insert_and_ring(made: Sequence[NewJob]) -> None:
    bells = choose(made)
    insert(made)
    if bells:
        ring_on_commit(bells)
