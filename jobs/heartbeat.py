"""The thread that keeps a running job's lease alive, and stops the run at its deadline.

One per child process, with a connection of its own. It is driven by time, not by jobs: a job that is
over before the first beat costs nothing.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

from django.conf import settings
from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper

from jobs import statements as sql
from jobs.database import Row, private_connection, rows
from jobs.lifecycle import Claim, Ending, finish_params
from jobs.outcomes import Budget, Outcome, failed

logger = logging.getLogger(__name__)

EXIT_TIMED_OUT = 70
"""Exit status of a child that stopped itself at a deadline."""


class TimedOut(Exception):
    """A run reached its deadline."""


class Company(Protocol):
    """The jobs that are held under the same token as the running one."""

    def ids(self) -> list[uuid.UUID]:
        """Which."""

    def tend(self, *, using: BaseDatabaseWrapper) -> None:
        """Write down those that have ended, and let others have those that wait too long: one runs for long."""

    def leave(self, *, using: BaseDatabaseWrapper) -> None:
        """Write down those that have ended and give the others back: this process ends now."""


class Lease:
    """A claim as its heartbeat sees it."""

    def __init__(self, claim: Claim, *, timeout: float, budget: Budget, company: Company | None = None) -> None:
        self.claim = claim
        self.company = company
        self.budget = budget
        self.timeout = timeout
        self.began = self.beaten = time.monotonic()
        self.lost = False
        self.cancel_requested = claim.cancel_requested
        self.stopping = False

    def params(self) -> dict[str, Any]:
        """The parameters of statements.HEARTBEAT for this job alone."""
        return {"ids": [self.claim.id], "token": self.claim.token, "lease": settings.JOBS_LEASE}

    def all_params(self) -> dict[str, Any]:
        """The same for this job and its company."""
        return self.params() | {"ids": [self.claim.id, *(self.company.ids() if self.company else ())]}

    def renewed(self, found: Sequence[Row]) -> bool:
        """Note what the rows said that were renewed; False when this one was not among them."""
        for job_id, cancel_requested, stopping in found:
            if job_id == self.claim.id:
                self.beaten = time.monotonic()
                self.cancel_requested = cancel_requested
                self.stopping = stopping
                return True
        return False

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.began + self.timeout - time.monotonic()


class Heart:
    """Beats for the one job that this process runs."""

    def __init__(self, exit_: Callable[[int], Any] = os._exit) -> None:
        self._lease: Lease | None = None
        self._thread: threading.Thread | None = None
        self._exit = exit_
        self._lock = threading.Lock()

    @contextmanager
    def holding(self, lease: Lease) -> Iterator[Lease]:
        """Beat for this lease while the block runs."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat_for_ever, name="heartbeat", daemon=True)
            self._thread.start()
        self._lease = lease
        try:
            yield lease
        finally:
            with self._lock:  # not between a time-out's verdict and its exit
                self._lease = None

    def _beat_for_ever(self) -> None:
        interval = settings.JOBS_HEARTBEAT / 2
        own = private_connection(statement_timeout=max(0.5, settings.JOBS_HEARTBEAT * 0.8))
        tick = threading.Event()
        while True:
            lease = self._lease
            tick.wait(interval if lease is None else min(interval, max(0.01, lease.left)))
            lease = self._lease
            if lease is None:
                continue
            try:
                if lease.left <= 0:
                    self._stop_run(lease, own)
                elif time.monotonic() - lease.beaten >= interval:
                    self._beat(lease, own)
            except Exception:  # a heart that stops would double every long job
                logger.exception("heartbeat of job %s failed", lease.claim.id)

    def _beat(self, lease: Lease, own: BaseDatabaseWrapper) -> None:
        try:
            if lease.company:
                lease.company.tend(using=own)
            found = rows(sql.HEARTBEAT, lease.all_params(), using=own)
        except Error as error:
            logger.warning("heartbeat of job %s did not get through: %s", lease.claim.id, error)
            own.close()
            return
        if not lease.renewed(found) and self._lease is lease:
            lease.lost = True
            logger.warning(
                "job %s, run %s: the lease was lost; nothing it writes counts", lease.claim.id, lease.claim.run
            )

    def _stop_run(self, lease: Lease, own: BaseDatabaseWrapper) -> None:
        """Record the time-out under the lease, then end this process: a thread cannot be stopped otherwise."""
        with self._lock:
            if self._lease is not lease:
                return
            verdict = failed(TimedOut(f"ran longer than {lease.timeout:g} s"), lease.budget, outcome=Outcome.TIMED_OUT)
            verdict = replace(verdict, traceback=_main_thread_stack())
            try:
                if lease.company:
                    lease.company.leave(using=own)
                won = rows(sql.FINISH, finish_params([Ending(claim=lease.claim, verdict=verdict)]), using=own)
            except Error as error:
                logger.error("job %s timed out and could not say so (%s); its lease will end", lease.claim.id, error)
                won = [("unsaid",)]
            if won:
                logger.error("job %s %s: timed out after %g s", lease.claim.kind, lease.claim.id, lease.timeout)
                self._exit(EXIT_TIMED_OUT)
            lease.timeout = float("inf")  # finished or lost already: nothing left to stop


def _main_thread_stack() -> str:
    frame = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001 - the documented way
    return "".join(traceback.format_stack(frame)) if frame else ""


heart = Heart()
os.register_at_fork(after_in_child=lambda: globals().update(heart=Heart()))
