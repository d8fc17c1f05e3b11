"""The Celery app class: every way to send a task ends at a row."""

from __future__ import annotations

from typing import Any

from celery import Celery

import jobs.worker.configure  # noqa: F401 - connects celeryd_init


class JobsCelery(Celery):
    """Celery with the engine's bootsteps, and a `send_task` that cannot pass a job by."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Names, not classes: they are loaded by a worker only, when Django is ready.
        self.steps["worker"].update({"jobs.worker.steps:Presence", "jobs.worker.steps:PoolWatch"})
        self.steps["consumer"].add("jobs.worker.steps:EventFlush")

    def send_task(self, name: str, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        """Enqueue a job by name (Flower's send-task comes here); other tasks are Celery's as ever.

        Raises LookupError for a name that no app declares.
        """
        from jobs.kinds import REGISTRY, kind_of

        if name in self.tasks and name not in REGISTRY:
            return super().send_task(name, args, kwargs, **options)
        from jobs.enqueue import enqueue

        return enqueue(kind_of(name), args=args, kwargs=kwargs, options=options)
