"""A kind for rehearsals: it sleeps, fails or kills its own process as told (registered with JOBS_DRILL)."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from jobs.context import current_job
from jobs.kinds import job

SLICE = 1.0
"""Seconds between two checkpoints while it sleeps."""


@job(name="jobs.drill", queue="general")
def drill(*, sleep: float = 0.0, fail_times: int = 0, crash: int = 0, payload: Any = None) -> Any:
    """Rehearse: safe to run twice, it touches nothing.

    Sleeps `sleep` seconds, with a checkpoint each second. Kills its own process (SIGKILL) in its first
    `crash` runs, then fails in the next `fail_times`, then returns `payload`.
    """
    context = current_job()
    end = time.monotonic() + sleep
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(SLICE, left))
        if left > SLICE:
            context.checkpoint()
    if context.run <= crash:
        os.kill(os.getpid(), signal.SIGKILL)
    if context.run - crash <= fail_times:
        raise RuntimeError(f"drill: planned failure {context.run - crash} of {fail_times}")
    return payload
