"""What a handler can say while it runs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection

from jobs import statements as sql
from jobs.database import rows
from jobs.heartbeat import Lease
from jobs.lifecycle import Claim, Ending, clean, finish_params, storable
from jobs.outcomes import Budget, Cancelled, LeaseLost, Released, completed
from jobs.secrets import scrub, scrub_value

_current: ContextVar[JobContext] = ContextVar("current_job")


class JobContext:
    """The running job, as its handler sees it."""

    def __init__(self, claim: Claim, lease: Lease, budget: Budget) -> None:
        self.claim = claim
        self.lease = lease
        self.budget = budget
        self.secret_words: tuple[str, ...] = ()

    @property
    def id(self) -> uuid.UUID:
        """The job's id."""
        return self.claim.id

    @property
    def run(self) -> int:
        """Which run this is; 1 is the first."""
        return self.claim.run

    @property
    def last_attempt(self) -> bool:
        """Whether a failure of this run would be final."""
        return self.budget.last

    def log(self, line: str) -> None:
        """Keep a line with the job."""
        rows(
            "INSERT INTO jobs_joblog (job_id, run, line) VALUES (%s, %s, %s)",
            [self.id, self.run, scrub(clean(line), self.secret_words)],
        )

    def progress(self, done: Any) -> None:
        """Show how far it is: a number from 0 to 100, or any small JSON value. Raises LeaseLost."""
        params = {"id": self.id, "token": self.claim.token, "progress": storable(scrub_value(done, self.secret_words))}
        if not rows(sql.PROGRESS, params):
            raise LeaseLost(f"job {self.id}, run {self.run}")

    def checkpoint(self) -> None:
        """Renew the lease, or stop here: call it before every outside effect and in every slice of long work.

        Raises LeaseLost when another worker owns the job (or the heartbeat could not tell), Cancelled
        when somebody asked for that, Released when the worker is shutting down. Inside a transaction
        the renewal is part of it: what is committed with it was written under the lease.
        """
        found = [] if self.lease.lost else rows(sql.HEARTBEAT, self.lease.params())
        if not self.lease.renewed(found):
            self.lease.lost = True
            raise LeaseLost(f"job {self.id}, run {self.run}: another worker owns it now")
        if self.lease.cancel_requested:
            raise Cancelled("cancelled on request")
        if self.lease.stopping:
            raise Released("its worker is shutting down")

    def complete(self, result: Any = None) -> None:
        """Complete the job in the transaction that is open now, so that both happen or neither does.

        Raises RuntimeError outside a transaction, LeaseLost when another worker owns the job.
        """
        if not connection.in_atomic_block:
            raise RuntimeError("complete() belongs into the transaction of the effects: with transaction.atomic(): …")
        verdict = completed(scrub_value(result, self.secret_words))
        if not rows(sql.FINISH, finish_params([Ending(claim=self.claim, verdict=verdict)])):
            raise LeaseLost(f"job {self.id}, run {self.run}: another worker owns it now")


def current_job() -> JobContext:
    """The job that is running here. Raises LookupError outside of one."""
    try:
        return _current.get()
    except LookupError:
        raise LookupError("no job is running here: current_job() is for code that a worker runs") from None


def inside_a_job() -> bool:
    """Whether a handler is running here."""
    return _current.get(None) is not None


@contextmanager
def entered(context: JobContext) -> Iterator[JobContext]:
    """Make `context` the current job."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
