"""Celery's Request for jobs: the main process knows when a child died, and gives its job back at once."""

from __future__ import annotations

import logging
from typing import Any

from billiard.einfo import ExceptionWithTraceback
from billiard.exceptions import Terminated, WorkerLostError
from celery.worker.request import Request
from django.db import Error, connection

from jobs.doorbell import parse_task_id
from jobs.lifecycle import lose_child
from jobs.maintenance.reap import tell_and_ring
from jobs.worker.identity import boot

logger = logging.getLogger(__name__)


class JobRequest(Request):
    """Releases the lease of a child that is dead, without waiting for it to run out."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        """Called in the main process; `return_ok` is true when the child itself reported the failure."""
        error = exc_info.exception
        if isinstance(error, ExceptionWithTraceback):
            error = error.exc
        if not return_ok and isinstance(error, WorkerLostError | Terminated | SystemExit | KeyboardInterrupt):
            self._release()
        return super().on_failure(exc_info, send_failed_event, return_ok)

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """The hard limit killed the child."""
        super().on_timeout(soft, timeout)
        if not soft:
            self._release()

    def _release(self) -> None:
        """Fenced by worker and pid: a job that has moved on is not touched. The lease is the fallback."""
        pid = getattr(self, "worker_pid", None)
        if parse_task_id(self.id) is None or pid is None:
            return
        try:
            tell_and_ring(lose_child(worker=boot.id, pid=pid))
        except Error as error:
            logger.warning("the jobs of dead process %s stay leased until their lease ends: %s", pid, error)
        finally:
            connection.close()  # the main process forks children, which must inherit no connection
