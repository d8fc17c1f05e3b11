"""The Celery task class behind every job: Celery's verbs write rows, a delivered message runs one."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from celery import Task

from jobs.doorbell import parse_task_id

if TYPE_CHECKING:
    from jobs.enqueue import JobHandle
    from jobs.kinds import Kind


class NotADoorbell(Exception):
    """A message that names no job, and cannot be made one."""


class JobTask(Task):
    """Base of all kinds. `kind` holds what was declared."""

    abstract = True
    kind: Kind
    Request = "jobs.worker.request:JobRequest"
    typing = False  # arguments are checked by the kind, and doorbells carry none
    ignore_result = True
    acks_late = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Called plainly: run the function. Called by a worker: run the job that the message names."""
        from jobs.context import inside_a_job
        from jobs.execution import run_job
        from jobs.fold import run_fold

        # A handler that calls its own function is in a delivered message too, but means the function.
        if self.request.called_directly or inside_a_job():
            return self.run(*args, **kwargs)

        job_id = parse_task_id(self.request.id)
        if job_id is None:
            return self.adopt(args, kwargs)
        return run_job(self.kind, job_id) if self.kind.batch == 1 else run_fold(self.kind, job_id)

    def adopt(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Make a job of a message that somebody published past the engine; its id keeps doubles out."""
        try:
            job_id = uuid.UUID(self.request.id)
        except ValueError:
            raise NotADoorbell(
                f"task id {self.request.id!r} names no job; enqueue {self.kind.name} by .delay()"
            ) from None
        from jobs.enqueue import adopt

        return adopt(self.kind, job_id=job_id, args=args, kwargs=kwargs)

    def delay(self, *args: Any, **kwargs: Any) -> JobHandle:
        """Enqueue with these arguments, in the caller's transaction."""
        return self.apply_async(args, kwargs)

    def apply_async(self, args: Any = None, kwargs: dict[str, Any] | None = None, **options: Any) -> JobHandle:
        """Enqueue with options (jobs.enqueue.Options), in the caller's transaction."""
        from jobs.enqueue import enqueue

        return enqueue(self.kind, args=args, kwargs=kwargs, options=options)

    def delay_many(self, calls: Iterable[dict[str, Any]], **options: Any) -> list[JobHandle]:
        """Enqueue many at once: one keyword-argument dict each, options shared."""
        from jobs.enqueue import enqueue_many

        return enqueue_many(self.kind, calls=calls, options=options)

    def apply(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: Celery's eager mode has neither a row nor a lease, so what it shows is not what happens."""
        raise NotImplementedError(f"{self.kind.name}: call the function itself, or .delay(); .apply() is not offered.")

    def _no_map(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: Celery's map would run the function in a task of its own, past row and lease."""
        raise NotImplementedError(
            f"{self.kind.name}: use .delay_many([{{…}}, …]); map, starmap and chunks are not offered."
        )

    map = starmap = chunks = _no_map
