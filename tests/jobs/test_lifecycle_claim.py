"""Taking a lease: who gets it, who does not, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from jobs import lifecycle, queues
from jobs.database import now
from jobs.ids import uuid7
from jobs.states import State
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, SECOND, elsewhere, end_backend, fresh, make, take, taken, together, wait_until_blocked

pytestmark = pytest.mark.django_db


def test_a_claim_takes_the_lease_and_counts_the_run(settings: Any) -> None:
    settings.JOBS_LEASE = 100.0
    job = make(args={"number": 7}, failures=1, crashes=2, max_attempts=4)
    before = now()
    worker, token = uuid7(), uuid7()
    claim = taken(job, token=token, worker=worker, pid=99, timeout=50)
    row = fresh(job)
    assert (claim.run, claim.failures, claim.crashes, claim.max_attempts) == (1, 1, 2, 4)
    assert (claim.args, claim.due_at, claim.token) == ({"number": 7}, job.available_at, token)
    assert (row.state, row.runs, row.lease_token, row.worker, row.worker_pid) == ("active", 1, token, worker, 99)
    assert row.lease_until is not None
    assert row.deadline is not None
    assert timedelta(seconds=100) <= row.lease_until - before < timedelta(seconds=105)
    assert timedelta(seconds=50) <= row.deadline - before < timedelta(seconds=55)


def test_a_claim_repeated_with_its_token_is_the_same_claim() -> None:
    job, token = make(), uuid7()
    first, second = taken(job, token=token), taken(job, token=token)
    assert first == second
    assert fresh(job).runs == 1


def test_a_claim_with_another_token_is_refused_as_a_duplicate() -> None:
    job = make()
    owner = taken(job)
    assert take(job) is None
    assert fresh(job).lease_token == owner.token
    assert lifecycle.refusal(job.id, [job.kind]) == "duplicate"


@pytest.mark.parametrize("state", [s for s in State if s is not State.WAITING])
def test_only_a_waiting_job_is_claimed(state: State) -> None:
    job = make(state, published_at=now())
    assert take(job) is None
    assert lifecycle.refusal(job.id, [job.kind]) == "duplicate"
    row = fresh(job)
    assert (row.state, row.published_at) == (state, job.published_at), "only a waiting row is un-rung"


def test_a_job_due_later_by_the_clock_is_claimed_all_the_same() -> None:
    """A host clock ahead of the database's must not burn the only doorbell: waiting is the word that counts."""
    assert take(make(available_at=now() + HOUR)) is not None


def test_a_paused_queue_gives_no_claim_and_takes_the_doorbell_back() -> None:
    job = make(published_at=now(), rings=1)
    queues.pause("general", reason="test")
    assert take(job) is None
    assert lifecycle.refusal(job.id, [job.kind]) == "paused"
    row = fresh(job)
    assert (row.state, row.published_at, row.runs) == ("waiting", None, 0)


def test_a_pause_whose_time_is_over_holds_nothing() -> None:
    queues.pause("general", reason="test", until=now() - SECOND)
    assert take(make()) is not None


def test_a_pause_of_another_queue_holds_nothing() -> None:
    queues.pause("email", reason="test")
    assert take(make()) is not None


def test_two_owners_pauses_hold_until_both_are_lifted() -> None:
    queues.pause("general", reason="test")
    queues.pause("general", reason="test", owner="breaker")
    queues.resume("general")
    assert take(make()) is None
    queues.resume("general", owner="breaker")
    assert take(make()) is not None


def test_an_expired_job_gives_no_claim() -> None:
    job = make(expires_at=now() - SECOND, published_at=now())
    assert take(job) is None
    assert lifecycle.refusal(job.id, [job.kind]) == "expired"
    assert fresh(job).published_at is None
    assert take(make(expires_at=now() + HOUR)) is not None


def test_a_job_whose_key_is_taken_is_busy() -> None:
    make(State.ACTIVE, concurrency_key="escrow:1")
    job = make(concurrency_key="escrow:1", published_at=now())
    assert take(job) is None
    assert lifecycle.refusal(job.id, [job.kind]) == "busy"
    assert fresh(job).published_at is None
    assert take(make(concurrency_key="escrow:2")) is not None


@pytest.mark.parametrize("state", [s for s in State if s is not State.ACTIVE])
def test_a_key_is_free_while_nobody_runs_under_it(state: State) -> None:
    make(state, concurrency_key="escrow:1")
    assert take(make(concurrency_key="escrow:1")) is not None


def test_a_claim_may_be_repeated_under_its_own_key() -> None:
    job, token = make(concurrency_key="escrow:1"), uuid7()
    taken(job, token=token)
    assert take(job, token=token) is not None


def test_a_worker_claims_only_kinds_it_was_asked_for() -> None:
    job = make(kind="zoo.mail", published_at=now())
    assert take(job, kinds=["zoo.perform"]) is None
    assert lifecycle.refusal(job.id, ["zoo.perform"]) == "wrong-kind"
    assert fresh(job).published_at is not None, "its own doorbell may be on its way"
    assert take(job, kinds=["zoo.perform", "zoo.mail"]) is not None


def test_a_job_that_is_not_there_is_gone() -> None:
    assert lifecycle.refusal(uuid7(), ["zoo.perform"]) == "gone"


def test_a_refusal_of_a_job_that_is_free_by_now_takes_its_doorbell_back() -> None:
    job = make(published_at=now())
    assert lifecycle.refusal(job.id, [job.kind]) == "raced"
    assert fresh(job).published_at is None


@COMMITTED
def test_of_two_workers_one_gets_the_job() -> None:
    job = make()
    claims = together(lambda: take(job), threads=4)
    assert len([claim for claim in claims if claim]) == 1
    assert fresh(job).runs == 1


@COMMITTED
def test_of_two_jobs_with_one_key_claimed_at_the_same_moment_one_runs() -> None:
    first, second = make(concurrency_key="escrow:1"), make(concurrency_key="escrow:1")
    with transaction.atomic():
        taken(first)
        other = elsewhere(lambda: take(second))
        wait_until_blocked()
    assert other.result(10) is None
    assert (fresh(first).state, fresh(second).state) == ("active", "waiting")
    assert lifecycle.refusal(second.id, [second.kind]) == "busy"


@COMMITTED
def test_a_claim_survives_a_lost_connection() -> None:
    job = make()
    end_backend()
    assert taken(job).run == 1
