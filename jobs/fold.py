"""Many short jobs under one doorbell: claimed together, run one after the other, written together.

For kinds that declare `batch=`. A message of such a kind says "there is work of this kind": it is answered with the
job that it names and with others that wait, as many as are likely to be run in a moment. What one job costs the
engine (a message, a claim, a finish) is shared, so that no-op jobs run ten times as fast; each keeps its own row,
attempt, outcome and retry.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from jobs import execution, heartbeat, lifecycle
from jobs.broker import depths
from jobs.context import JobContext
from jobs.events import emit
from jobs.heartbeat import Heart, Lease
from jobs.ids import uuid7
from jobs.kinds import Kind
from jobs.lifecycle import Claim, Ending
from jobs.maintenance.relay import ring_or_give_back
from jobs.outcomes import Outcome, Verdict
from jobs.states import State
from jobs.worker.identity import boot

logger = logging.getLogger(__name__)

SPELL = 1.0
"""Seconds after which a doorbell's process takes no further job, so that other kinds have their turn."""
MOMENT = 0.1
"""Seconds that a fold should last, and after which what has ended is written down."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """One run that is over; the times are monotonic."""

    claim: Claim
    verdict: Verdict
    began: float
    ended: float
    state: State | None = None


class Fold:
    """Jobs under one token: those that wait for their turn here, and those that have ended and are not written yet."""

    def __init__(self, claims: Sequence[Claim], *, end: float) -> None:
        self.waiting = deque(claims)
        self._end = end
        self.written: list[Ended] = []
        self._ended: list[Ended] = []
        self._lock = threading.Lock()
        self._wrote_at = time.monotonic()

    def ids(self) -> list[uuid.UUID]:
        """The jobs whose leases must be renewed beside that of the running one."""
        with self._lock:
            return [claim.id for claim in (*self.waiting, *(ended.claim for ended in self._ended))]

    def next(self) -> Claim | None:
        """Whose turn it is; None when nobody waits any more."""
        with self._lock:
            return self.waiting.popleft() if self.waiting else None

    def end(self, ended: Ended) -> None:
        """Note how a run ended, and write it down when the last writing was a moment ago or nobody waits."""
        with self._lock:
            self._ended.append(ended)
        if not self.waiting or time.monotonic() - self._wrote_at >= MOMENT:
            self.write()

    def write(self, *, using: BaseDatabaseWrapper | None = None) -> None:
        """Write down what has ended; again later when that fails."""
        with self._lock:
            if not self._ended:
                return
            at = time.monotonic()
            said = [
                Ending(claim=e.claim, verdict=e.verdict, began=at - e.began, ended=at - e.ended) for e in self._ended
            ]
            states = lifecycle.finish_many(said, using=using)
            self.written += [
                Ended(claim=e.claim, verdict=e.verdict, began=e.began, ended=e.ended, state=states[e.claim.id])
                for e in self._ended
            ]
            self._ended.clear()
            self._wrote_at = time.monotonic()

    def tend(self, *, using: BaseDatabaseWrapper) -> None:
        """While one runs long: write down what has ended, and after the spell let others have those that wait."""
        self.write(using=using)
        if time.monotonic() >= self._end:
            self._let_go(unrung=True, using=using)

    def leave(self, *, using: BaseDatabaseWrapper | None = None) -> None:
        """Write down what has ended and give back what was not begun: the process ends."""
        self.give_back(unrung=True, using=using)

    def give_back(self, *, unrung: bool, using: BaseDatabaseWrapper | None = None) -> None:
        """Write down what has ended and give back what was not begun."""
        self.write(using=using)
        self._let_go(unrung=unrung, using=using)

    def _let_go(self, *, unrung: bool, using: BaseDatabaseWrapper | None) -> None:
        with self._lock:
            lifecycle.give_back(list(self.waiting), unrung=unrung, using=using)
            self.waiting.clear()


class Pace:
    """How long a job of each kind lately took in this process, all included."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def size(self, kind: Kind) -> int:
        """How many to claim: what is likely to be run in a moment; one while nothing is known."""
        seconds = self._seconds.get(kind.name)
        return 1 if seconds is None else max(1, min(kind.batch, int(MOMENT / max(seconds, 1e-6))))

    def note(self, kind: Kind, *, seconds: float, jobs: int) -> None:
        """Learn from a fold: half of what is believed is the latest."""
        each = seconds / jobs
        self._seconds[kind.name] = (self._seconds.get(kind.name, each) + each) / 2


pace = Pace()


def run_fold(kind: Kind, job_id: uuid.UUID) -> str:
    """Run this job if it can be claimed, and others of its kind that wait, for a spell; say what came of them.

    Raises what `run_job` raises when it was one job only.
    """
    spell = min(SPELL, settings.JOBS_HEARTBEAT)
    end = time.monotonic() + spell
    written: list[Ended] = []
    more = True
    while more and time.monotonic() < end:
        size = pace.size(kind)
        claims = _claim(kind, job_id, size=size, spell=spell)
        if not claims:
            more = False
            break
        fold = Fold(claims, end=end)
        more = _run(kind, fold, end=end)
        written += fold.written
        # Fewer than asked for: nobody waits. One that had crashed comes alone and says nothing of the others.
        more = more and (len(claims) == size or len(fold.written) < len(claims) or claims[0].crashes > 0)
    if not written:
        return lifecycle.refusal(job_id, kind.names)
    if more:
        _pass_on(kind, queue=written[0].claim.queue)
    return _report(written)


def _pass_on(kind: Kind, *, queue: str) -> None:
    """The spell is over and more wait: ring one of them, unless enough doorbells lie there already.

    Each would otherwise put another in its place, and their number never fall while there is a backlog.
    """
    try:
        if depths([queue])[queue] < settings.JOBS_QUEUES[queue]["concurrency"]:
            ring_or_give_back(lifecycle.reserve_next_of_kind(kind.names, queue=queue))
    except Exception as error:  # noqa: BLE001 - whatever the broker does, the jobs are finished; the keeper rings
        logger.warning("no doorbell was passed on to the next %s: %s", kind.name, error)


def _claim(kind: Kind, job_id: uuid.UUID, *, size: int, spell: float) -> list[Claim]:
    return lifecycle.claim_fold(
        job_id=job_id,
        kinds=kind.names,
        token=uuid7(),
        worker=boot.id,
        pid=os.getpid(),
        timeout=kind.timeout,
        spell=spell,
        size=size,
    )


def _run(kind: Kind, fold: Fold, *, end: float) -> bool:
    """Run the fold's jobs until `end` (monotonic), give the others back; False when the process was told to stop."""
    began = time.monotonic()
    released = False
    while not released and (claim := fold.next()):
        ended = _run_one(kind, fold, claim, heartbeat.heart)
        released = ended.verdict.outcome is Outcome.RELEASED
        if time.monotonic() >= end:
            break
    fold.give_back(unrung=released)
    pace.note(kind, seconds=time.monotonic() - began, jobs=len(fold.written))
    _tell(kind, fold.written)
    for ended in fold.written:
        execution.ring_after(ended.claim, ended.state)
    return not released


def _tell(kind: Kind, written: Sequence[Ended]) -> None:
    """One event for all that simply completed, one for each of the others."""
    smooth = [ended for ended in written if ended.verdict.outcome is Outcome.COMPLETED and ended.state is not None]
    if len(smooth) > 1:
        ms = sum(ended.ended - ended.began for ended in smooth) * 1000
        emit("completed", kind=kind.name, jobs=len(smooth), ms=round(ms))
        written = [ended for ended in written if ended.verdict.outcome is not Outcome.COMPLETED or ended.state is None]
    for ended in written:
        execution.tell(ended.claim, ended.verdict, ended.state, seconds=ended.ended - ended.began)


def _run_one(kind: Kind, fold: Fold, claim: Claim, heart: Heart) -> Ended:
    budget = claim.budget(backoff=kind.backoff, cap=kind.backoff_max)
    lease = Lease(claim, timeout=kind.timeout, budget=budget, company=fold)
    began = time.monotonic()
    with heart.holding(lease):
        verdict = execution.call(kind, JobContext(claim, lease, budget))
        ended = Ended(claim=claim, verdict=verdict, began=began, ended=time.monotonic())
        fold.end(ended)
    return ended


def _report(written: Sequence[Ended]) -> str:
    if len(written) == 1:
        return execution.report(written[0].verdict, written[0].state)
    counts = Counter("lease lost" if ended.state is None else ended.state.value for ended in written)
    return ", ".join(f"{count} {word}" for word, count in counts.most_common())
