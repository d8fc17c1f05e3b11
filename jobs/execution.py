"""One run of one job: claim, heartbeat, call, judge, finish, report."""

from __future__ import annotations

import logging
import os
import time
import uuid
from dataclasses import replace

from celery.exceptions import Retry
from django.db import Error, connection
from psycopg.pq import TransactionStatus

from jobs import heartbeat, lifecycle
from jobs.context import JobContext, entered
from jobs.events import emit
from jobs.heartbeat import Heart, Lease
from jobs.ids import uuid7
from jobs.kinds import Kind
from jobs.lifecycle import Claim
from jobs.maintenance.relay import ring_next, ring_or_give_back
from jobs.outcomes import Cancelled, Outcome, Verdict, completed, failed, judge
from jobs.secrets import scrub, scrub_value, unseal, words_of
from jobs.states import State
from jobs.worker.identity import boot

logger = logging.getLogger(__name__)


class JobFailed(Exception):
    """What Celery is told of a failure: the class name only; the row has the rest."""


def run_job(kind: Kind, job_id: uuid.UUID, *, heart: Heart | None = None) -> str:
    """Run the job if it can be claimed, and say in a word what came of it. `heart`: instead of this process's own.

    Raises Celery's Retry where the job runs again later and JobFailed where it failed or its outcome is
    unknown, so that Flower shows RETRY and FAILURE. The row is written before.
    """
    claim = lifecycle.claim(
        job_id=job_id, kinds=kind.names, token=uuid7(), worker=boot.id, pid=os.getpid(), timeout=kind.timeout
    )
    if claim is None:
        return lifecycle.refusal(job_id, kind.names)
    budget = claim.budget(backoff=kind.backoff, cap=kind.backoff_max)
    lease = Lease(claim, timeout=kind.timeout, budget=budget)
    began = time.monotonic()
    with (heart or heartbeat.heart).holding(lease):
        verdict = call(kind, JobContext(claim, lease, budget))
        state = lifecycle.finish(claim, verdict)
    tell(claim, verdict, state, seconds=time.monotonic() - began)
    ring_after(claim, state)
    return report(verdict, state)


def call(kind: Kind, context: JobContext) -> Verdict:
    """Call the handler; whatever it does becomes a verdict."""
    inside = connection.in_atomic_block  # in a test; a worker runs nothing inside a transaction
    try:
        with entered(context):
            if context.claim.cancel_requested:
                raise Cancelled("cancelled on request")
            secret = unseal(context.claim.sealed_args)
            context.secret_words = words_of(secret)
            verdict = completed(kind.function(**kind.arguments.load(context.claim.args | secret)))
    except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - anything a handler raises is its outcome
        verdict = judge(error, context.budget)
    verdict = masked(verdict, context.secret_words)
    if not inside and _left_open():
        connection.in_atomic_block = False  # or close() would keep the dead connection for the block's end
        connection.close()  # rolls back
        return failed(RuntimeError("the handler left a transaction open"), context.budget)
    return verdict


def _left_open() -> bool:
    """Whether the handler left a transaction behind: by Django's switch, or by a BEGIN that Django knows nothing of."""
    raw = connection.connection
    if raw is None or raw.closed:
        return False
    return not connection.autocommit or raw.info.transaction_status is not TransactionStatus.IDLE


def masked(verdict: Verdict, words: tuple[str, ...]) -> Verdict:
    """The verdict without sensitive arguments in its texts."""
    if not words:
        return verdict
    return replace(
        verdict,
        error=scrub(verdict.error, words),
        traceback=scrub(verdict.traceback, words),
        result=scrub_value(verdict.result, words),
    )


def tell(claim: Claim, verdict: Verdict, state: State | None, *, seconds: float) -> None:
    """One event: how the run ended."""
    event = "lease lost" if state is None else str(verdict.outcome)
    if state == State.DELAYED and verdict.failures:
        event = "failed, will retry"
    facts = {"kind": claim.kind, "job": claim.id, "run": claim.run, "ms": round(seconds * 1000)}
    if verdict.error:
        facts["error"] = f"{verdict.error_class}: {verdict.error}"[:300]
    if state == State.DELAYED and verdict.delay is not None:
        facts["again_in"] = f"{verdict.delay:g}s"
    emit(event, **facts)


def ring_after(claim: Claim, state: State | None) -> None:
    """What may run now need not wait for the keeper: this job again, or the next of its key or its limited queue."""
    try:
        if claim.concurrency_key:
            ring_or_give_back(lifecycle.reserve_next_of_key(claim.concurrency_key))
        elif state == State.WAITING:
            ring_or_give_back(lifecycle.reserve_jobs(queue=claim.queue, ids=[claim.id]))
        if claim.limited:
            ring_next(claim.queue)
    except Error as error:  # the job is finished; the keeper rings what is next
        logger.warning("nothing was rung after job %s: %s", claim.id, error)


def report(verdict: Verdict, state: State | None) -> str:
    """What Celery is told. Raises Retry and JobFailed, as `run_job` says."""
    match state:
        case None:
            return "lease-lost"
        case State.COMPLETED:
            return "skipped" if verdict.outcome is Outcome.SKIPPED else "done"
        case State.DELAYED | State.WAITING:
            # Not chained to the handler's exception: Celery would send its text through Redis.
            raise Retry(exc=JobFailed(verdict.error_class), when=verdict.delay or 0.0)
        case State.FAILED | State.UNKNOWN:
            raise JobFailed(verdict.error_class)
    return str(state)
