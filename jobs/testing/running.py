"""Calling a handler by hand, with a job around it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jobs import lifecycle
from jobs.context import JobContext, entered
from jobs.enqueue import enqueue
from jobs.heartbeat import Lease
from jobs.ids import uuid7
from jobs.outcomes import Verdict, completed, judge
from jobs.secrets import unseal, words_of
from jobs.testing.assertions import AnyKind, kind_from
from jobs.testing.inline import quiet
from jobs.worker.identity import boot


@contextmanager
def running_job(kind: AnyKind, /, **arguments: Any) -> Iterator[JobContext]:
    """A job of this kind that runs while the block does, so that `current_job()` works in what it calls.

    What the block raises comes out of it as it is, after the job was judged by it as ever.
    """
    found = kind_from(kind)
    with quiet():
        job_id = enqueue(found, args=None, kwargs=arguments, options={}).id
    claim = lifecycle.claim(
        job_id=job_id, kinds=found.names, token=uuid7(), worker=boot.id, pid=os.getpid(), timeout=found.timeout
    )
    if claim is None:
        raise AssertionError(f"The job could not be claimed: {lifecycle.refusal(job_id, found.names)}.")
    budget = claim.budget(backoff=found.backoff, cap=found.backoff_max)
    context = JobContext(claim, Lease(claim, timeout=found.timeout, budget=budget), budget)
    context.secret_words = words_of(unseal(claim.sealed_args))
    verdict: Verdict = completed(None)
    try:
        with entered(context):
            yield context
    except Exception as error:
        verdict = judge(error, budget)
        raise
    finally:
        lifecycle.finish(claim, verdict)
