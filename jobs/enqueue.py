"""Writing jobs: a row in the caller's transaction, a doorbell when it commits."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from jobs.broker import depths
from jobs.database import rows
from jobs.doorbell import Bell, breaker, ring
from jobs.ids import uuid7
from jobs.kinds import Kind
from jobs.lifecycle import unring
from jobs.models import UNFINISHED_STATES, Job
from jobs.options import InvalidOptions, Options
from jobs.outcomes import lost_connection
from jobs.states import State
from jobs.window import window

logger = logging.getLogger(__name__)

__all__ = ["InvalidOptions", "JobHandle", "Ring", "adopt", "enqueue", "enqueue_many", "insert"]


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


def _holder(row: Job, options: Options) -> uuid.UUID:
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


def _row(kind: Kind, stored: dict[str, Any], kwargs: dict[str, Any], options: Options) -> Job:
    return Job(
        id=uuid7(),
        kind=kind.name,
        queue=options.queue or kind.queue,
        priority=kind.priority if options.priority is None else options.priority,
        args=stored,
        state=State.DELAYED if options.is_later(timezone.now()) else State.WAITING,
        max_attempts=kind.max_attempts,
        available_at=_moment(options.countdown, options.eta) or Now(),
        expires_at=_moment(*options.expiry),
        unique_key=None if options.unique_for is not None else options.unique_key,
        concurrency_key=options.concurrency_key,
        subject=(options.subject or _subject(kind, kwargs) or "")[:200],
        tags=list(options.tags),
        options=options.as_given,
        enqueued_by=options.by,
        trace=options.trace,
        schedule_id=options.schedule_id,
        slot=options.slot,
    )


def _moment(seconds: float | None, moment: datetime | None) -> Any:
    """A due time by the database's clock where it is relative."""
    return Now() + timedelta(seconds=seconds) if seconds is not None else moment


def _subject(kind: Kind, kwargs: dict[str, Any]) -> str | None:
    return kind.subject(**kwargs) if kind.subject else None


def _insert_and_ring(made: Sequence[Job]) -> None:
    bells = _choose_bells(made)
    insert(made)
    if bells:
        _ring_on_commit(bells)


def _choose_bells(made: Sequence[Job]) -> list[Bell]:
    """Mark as rung as many of the waiting rows as the window has room for; the relay sees to the rest."""
    due = [row for row in made if row.state == State.WAITING]
    if not due or breaker.open:
        return []
    room = window.take(due[0].queue, len(due), limit=settings.JOBS_WINDOW)
    for row in due[:room]:
        row.dispatch_no = row.rings = 1
        row.published_at = Now()
    return [
        Bell(job_id=row.id, dispatch_no=1, kind=row.kind, queue=row.queue, priority=row.priority) for row in due[:room]
    ]


def insert(made: Sequence[Job]) -> None:
    """Insert rows; outside a transaction once more on a fresh connection if PostgreSQL was lost on the way."""
    if connection.in_atomic_block:
        return _write(made, again=False)
    try:
        _write(made, again=False)
    except (OperationalError, InterfaceError) as error:
        if not lost_connection(error):
            raise
        connection.close()
        _write(made, again=True)


def _write(made: Sequence[Job], *, again: bool) -> None:
    """The ids are the caller's, so a repeat of rows that did arrive changes nothing."""
    if len(made) == 1 and not again:
        made[0].save(force_insert=True)
    else:
        Job.objects.bulk_create(made, batch_size=1000, ignore_conflicts=again)


class Ring:
    """The doorbells of one transaction (or savepoint), rung together after it committed."""

    def __init__(self, bells: list[Bell], room: Callable[[Iterable[str]], dict[str, int]] = depths) -> None:
        self.bells = bells
        self._depths = room

    def __call__(self) -> None:
        """Ring. Never raises: the transaction is committed, and the relay rings what did not get through."""
        try:
            fitting = self._fitting()
            lost = [bell.job_id for bell in self.bells if bell not in fitting] if len(fitting) < len(self.bells) else []
            if not ring(fitting):
                lost = [bell.job_id for bell in self.bells]
            if lost:
                unring(lost)
        except Exception:
            logger.exception("ringing %s doorbells failed; the relay rings them", len(self.bells))

    def _fitting(self) -> list[Bell]:
        """The doorbells that the window has room for, asking Redis where the room was only assumed."""
        queues = {bell.queue for bell in self.bells if window.guessed(bell.queue)}
        if not queues or breaker.open:
            return self.bells
        try:
            lengths = self._depths(queues)
        except Exception as error:  # noqa: BLE001 - whatever the broker does, the row is committed
            breaker.failed(error)
            return self.bells
        fitting: list[Bell] = []
        for queue in queues:
            mine = [bell for bell in self.bells if bell.queue == queue]
            room = max(0, settings.JOBS_WINDOW - lengths[queue])
            fitting += mine[:room]
            window.measured(queue, room=room - len(mine))
        return fitting + [bell for bell in self.bells if bell.queue not in queues]


def _ring_on_commit(bells: list[Bell]) -> None:
    """One hook per transaction; a new one after each savepoint, so that Django drops it with its savepoint."""
    if connection.in_atomic_block and connection.run_on_commit:
        savepoints, hook, *_ = connection.run_on_commit[-1]
        if isinstance(hook, Ring) and savepoints == set(connection.savepoint_ids):
            hook.bells += bells
            return
    transaction.on_commit(Ring(bells), robust=True)
