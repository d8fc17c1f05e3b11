"""The other moves: lost, promoted, expired, cancelled, retried, resolved, un-rung."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import lifecycle
from jobs.database import now
from jobs.ids import uuid7
from jobs.lifecycle import CannotMove
from jobs.models import Attempt, Job
from jobs.states import State
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, SECOND, fresh, make, taken

pytestmark = pytest.mark.django_db
MICROSECOND = SECOND / 1_000_000


# ---------------------------------------------------------------- lost
def test_an_expired_lease_is_taken_away_and_the_run_is_an_attempt() -> None:
    moment = now()
    job = make(State.ACTIVE, lease_until=moment - MICROSECOND, runs=4, published_at=moment, rings=2, failures=1)
    (lost,) = lifecycle.lose_expired(now=moment, limit=10)
    assert (lost.id, lost.kind, lost.queue, lost.state) == (job.id, "zoo.perform", "general", "waiting")
    row, attempt = fresh(job), Attempt.objects.get(job=job)
    assert (row.state, row.crashes, row.failures, row.runs, row.rings) == ("waiting", 1, 1, 4, 0)
    assert (row.lease_until, row.lease_token, row.published_at) == (None, None, None)
    assert (attempt.number, attempt.outcome, attempt.message) == (4, "crashed", "its worker was lost (lease ran out)")


def test_a_lease_that_ends_this_moment_still_holds() -> None:
    moment = now()
    make(State.ACTIVE, lease_until=moment)
    assert lifecycle.lose_expired(now=moment, limit=10) == []


def test_the_third_crash_fails_the_job(settings: Any) -> None:
    settings.JOBS_CRASH_LIMIT = 3
    job = make(max_attempts=1)
    for crash in (1, 2, 3):
        taken(job)
        (lost,) = lifecycle.lose_expired(now=now() + HOUR, limit=10)
        assert lost.state == ("failed" if crash == 3 else "waiting")
    row = fresh(job)
    assert (row.state, row.crashes, row.failures, row.runs) == ("failed", 3, 0, 3)
    assert row.finished_at is not None
    assert list(Attempt.objects.filter(job=job).order_by("number").values_list("number", flat=True)) == [1, 2, 3]


def test_a_dead_child_loses_its_own_jobs_only() -> None:
    worker = uuid7()
    job = make(State.ACTIVE, worker=worker, worker_pid=10)
    assert lifecycle.lose_child(worker=worker, pid=11) == []
    assert lifecycle.lose_child(worker=uuid7(), pid=10) == []
    assert fresh(job).state == "active"
    (lost,) = lifecycle.lose_child(worker=worker, pid=10)
    assert lost.state == "waiting"
    assert lifecycle.lose_child(worker=worker, pid=10) == [], "twice is once"
    assert fresh(job).crashes == 1


def test_a_doubt_is_never_taken_away() -> None:
    make(State.UNKNOWN, lease_token=uuid7(), lease_until=now() - HOUR)
    assert lifecycle.lose_expired(now=now(), limit=10) == []


def test_losing_takes_the_longest_lost_first_and_no_more_than_asked() -> None:
    late, later, latest = (make(State.ACTIVE, lease_until=now() - n * SECOND) for n in (1, 2, 3))
    lost = lifecycle.lose_expired(now=now(), limit=2)
    assert {job.id for job in lost} == {later.id, latest.id}
    assert fresh(late).state == "active"


# ---------------------------------------------------------------- promoted, expired
def test_a_delayed_job_waits_from_its_due_moment_on() -> None:
    moment = now()
    due = make(State.DELAYED, available_at=moment, published_at=moment, rings=5)
    early = make(State.DELAYED, available_at=moment + MICROSECOND)
    assert lifecycle.promote(now=moment, limit=10) == 1
    row = fresh(due)
    assert (row.state, row.published_at, row.rings, row.available_at) == ("waiting", None, 0, moment)
    assert fresh(early).state == "delayed"


def test_promotion_takes_the_longest_due_first() -> None:
    moment = now()
    newer, older = make(State.DELAYED, available_at=moment), make(State.DELAYED, available_at=moment - HOUR)
    assert lifecycle.promote(now=moment, limit=1) == 1
    assert (fresh(older).state, fresh(newer).state) == ("waiting", "delayed")


@pytest.mark.parametrize("state", State)
def test_only_a_job_that_has_not_started_expires(state: State) -> None:
    moment = now()
    job = make(state, expires_at=moment)
    expired = lifecycle.expire(now=moment, limit=10)
    assert expired == (state in (State.WAITING, State.DELAYED))
    if expired:
        row = fresh(job)
        assert (row.state, row.error) == ("cancelled", "expired before it was started")
        assert row.finished_at is not None
    else:
        assert fresh(job).state == state


def test_before_its_expiry_nothing_expires() -> None:
    moment = now()
    make(expires_at=moment + MICROSECOND)
    assert lifecycle.expire(now=moment, limit=10) == 0


# ---------------------------------------------------------------- by hand
@pytest.mark.parametrize("state", [State.WAITING, State.DELAYED])
def test_a_job_that_has_not_started_is_cancelled_at_once(state: State) -> None:
    job = make(state)
    assert lifecycle.cancel(job.id, reason="not \x00 wanted") is State.CANCELLED
    assert (fresh(job).state, fresh(job).error) == ("cancelled", "not  wanted")


def test_a_running_job_is_asked_to_stop() -> None:
    job = make(State.ACTIVE)
    assert lifecycle.cancel(job.id, reason="not wanted") is State.ACTIVE
    assert (fresh(job).state, fresh(job).cancel_requested) == ("active", True)


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.CANCELLED, State.UNKNOWN])
def test_anything_else_cannot_be_cancelled_and_the_refusal_says_why(state: State) -> None:
    job = make(state)
    with pytest.raises(CannotMove, match=rf"{job.id} is {state}: only a waiting, delayed or active"):
        lifecycle.cancel(job.id, reason="not wanted")
    assert fresh(job).state == state


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_a_retry_by_hand_starts_afresh_and_forgets_no_run(state: State) -> None:
    job = make(
        state,
        failures=3,
        crashes=2,
        runs=5,
        error="no",
        result={"a": 1},
        cancel_requested=True,
        expires_at=now() - HOUR,
        rings=9,
        published_at=now(),
        queue="email",
    )
    assert lifecycle.retry(job.id) == "email"
    row = fresh(job)
    assert (row.state, row.failures, row.crashes, row.runs) == ("waiting", 0, 0, 5)
    assert (row.error, row.result, row.cancel_requested, row.expires_at) == ("", None, False, None)
    assert (row.finished_at, row.published_at, row.rings) == (None, None, 0)
    assert taken(job).run == 6


@pytest.mark.parametrize("state", [s for s in State if s not in (State.FAILED, State.CANCELLED)])
def test_anything_else_cannot_be_retried(state: State) -> None:
    job = make(state)
    with pytest.raises(CannotMove, match=rf"is {state}: only a failed or cancelled job"):
        lifecycle.retry(job.id)


def test_a_job_that_left_cannot_be_retried() -> None:
    with pytest.raises(CannotMove, match="is not there"):
        lifecycle.retry(uuid7())


@COMMITTED
def test_a_retry_gives_way_to_an_unfinished_job_with_its_unique_key() -> None:
    job = make(State.FAILED, unique_key="k")
    make(State.DELAYED, unique_key="k")
    with pytest.raises(CannotMove, match="another unfinished job holds its unique key"):
        lifecycle.retry(job.id)
    assert fresh(job).state == "failed"


@pytest.mark.parametrize("target", [State.COMPLETED, State.FAILED, State.WAITING])
def test_an_unknown_outcome_is_decided_with_a_reason(target: State) -> None:
    job = make(State.UNKNOWN, failures=1)
    assert lifecycle.resolve(job.id, state=target, reason="the bank says so") == "general"
    row = fresh(job)
    assert (row.state, row.error, row.failures) == (target, "the bank says so", 1)
    assert (row.finished_at is None) == (target is State.WAITING)


def test_a_job_that_is_to_be_sent_again_forgets_older_wishes() -> None:
    """Asked to cancel while it ran, and past its expiry by now: who decides to send it again means it."""
    job = make(State.UNKNOWN, cancel_requested=True, expires_at=now() - HOUR)
    lifecycle.resolve(job.id, state=State.WAITING, reason="the bank never saw it")
    assert lifecycle.expire(now=now(), limit=10) == 0
    assert taken(job).cancel_requested is False


@pytest.mark.parametrize("target", [State.CANCELLED, State.DELAYED, State.ACTIVE, State.UNKNOWN])
def test_an_unknown_outcome_is_not_decided_otherwise(target: State) -> None:
    job = make(State.UNKNOWN)
    with pytest.raises(ValueError, match="completed, waiting or failed"):
        lifecycle.resolve(job.id, state=target, reason="because")
    assert fresh(job).state == "unknown"


def test_deciding_needs_a_reason() -> None:
    job = make(State.UNKNOWN)
    with pytest.raises(ValueError, match="needs a reason"):
        lifecycle.resolve(job.id, state=State.COMPLETED, reason=" \n")


@pytest.mark.parametrize("state", [s for s in State if s is not State.UNKNOWN])
def test_only_an_unknown_outcome_is_decided(state: State) -> None:
    job = make(state)
    with pytest.raises(CannotMove, match="only an unknown outcome"):
        lifecycle.resolve(job.id, state=State.COMPLETED, reason="because")
    assert fresh(job).state == state


# ---------------------------------------------------------------- doorbells
def test_only_waiting_jobs_are_unrung() -> None:
    made = [make(state, published_at=now()) for state in State]
    assert lifecycle.unring([job.id for job in made]) == 1
    assert set(Job.objects.filter(published_at=None).values_list("state", flat=True)) == {"waiting"}
