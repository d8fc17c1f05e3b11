"""jobs.testing: jobs run in the test's own process, in its transaction, without a broker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from jobs import JobContext, PermanentError, Snooze, current_job, queues
from jobs.database import now
from jobs.doorbell import breaker
from jobs.models import Attempt, Job, JobLog, QueuePause
from jobs.testing import (
    JobsFailed,
    assert_enqueued,
    assert_not_enqueued,
    drain,
    enqueued,
    run_all,
    run_due,
    running_job,
)
from tests.jobs import zoo
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, fresh

KEY = UUID("01a20c0f-8ce9-70d3-adca-465291acd3ab")


@pytest.fixture(params=[pytest.param(True, id="in the test's transaction"), pytest.param(False, marks=COMMITTED)])
def jobs_at_hand(request: pytest.FixtureRequest, jobs_inline: Any) -> Any:
    """`jobs_inline`, inside a test's transaction and outside of any."""
    assert connection.in_atomic_block is request.param
    return jobs_inline


@pytest.fixture(autouse=True)
def part() -> Any:
    """Set what `zoo.perform` does; nothing, unless told."""

    def play(part: Callable[[JobContext], Any]) -> None:
        zoo.stage.part = part

    zoo.stage.calls.clear()
    yield play
    zoo.stage.part = lambda _: None


# ---------------------------------------------------------------- looking
def test_arguments_are_found_by_their_values_whatever_their_types(jobs_inline: Any) -> None:
    zoo.typed.delay(key=KEY, day=date(2024, 2, 29))
    assert assert_enqueued(zoo.typed, key=KEY).args["day"] == "2024-02-29"
    assert enqueued("zoo.typed_once", day=date(2024, 2, 29)) == enqueued(zoo.typed)
    assert enqueued() == enqueued(zoo.typed)
    assert_not_enqueued(zoo.typed, day=date(2024, 3, 1))


def test_a_missing_job_is_named_with_those_that_are_there(jobs_inline: Any) -> None:
    with pytest.raises(AssertionError, match=r"0 jobs of zoo.mail were enqueued, not one. There is: no job at all."):
        assert_enqueued(zoo.mail)
    zoo.mail.delay(number=7)
    with pytest.raises(AssertionError, match=r"with {'number': 8}.* There is: zoo.mail {'number': 7}, waiting."):
        assert_enqueued(zoo.mail, number=8)
    with pytest.raises(AssertionError, match=r"There is: 1 zoo\.mail"):
        assert_enqueued(zoo.perform)
    with pytest.raises(AssertionError, match=r"was enqueued: zoo.mail {'number': 7}, waiting"):
        assert_not_enqueued(zoo.mail)


def test_two_jobs_are_not_one(jobs_inline: Any) -> None:
    zoo.mail.delay_many([{"number": 1}, {"number": 1}])
    with pytest.raises(AssertionError, match=r"2 jobs of zoo\.mail"):
        assert_enqueued(zoo.mail, number=1)


def test_a_kind_that_does_not_exist_is_a_mistake_of_the_test(jobs_inline: Any) -> None:
    with pytest.raises(LookupError, match=r"Did you mean 'zoo.mail'"):
        assert_not_enqueued("zoo.mial")


def test_sensitive_arguments_cannot_be_looked_for(jobs_inline: Any) -> None:
    zoo.secretive.delay(who="ada", iban="DE02120300000000202051")
    assert enqueued(zoo.secretive, who="ada")
    with pytest.raises(TypeError, match="iban is sensitive"):
        enqueued(zoo.secretive, iban="DE02120300000000202051")


# ---------------------------------------------------------------- running
def test_jobs_run_in_order_with_those_that_they_enqueue(jobs_at_hand: Any, part: Any) -> None:
    part(lambda _: zoo.mail.delay(number=3) and None)
    zoo.mail.apply_async(kwargs={"number": 9}, priority=9)
    zoo.perform.apply_async(kwargs={}, priority=0)
    zoo.mail.apply_async(kwargs={"number": 5}, priority=5)
    runs = jobs_at_hand.run_all()
    assert [run.job.args.get("number") for run in runs] == [None, 3, 5, 9]
    assert {run.outcome for run in runs} == {"completed"}
    assert not Job.objects.exclude(state="completed").exists()


def test_a_handler_logs_reports_and_checks_as_in_a_worker(jobs_at_hand: Any, part: Any) -> None:
    def work(job: JobContext) -> int:
        job.log("begun")
        job.progress(50)
        job.checkpoint()
        assert current_job() is job
        return job.run

    part(work)
    handle = zoo.perform.delay()
    (run,) = jobs_at_hand.run_all()
    assert (run.job.result, run.job.progress, JobLog.objects.get().line) == (1, 50, "begun")
    assert handle.state == "completed"


def test_an_effect_and_its_completion_are_one(jobs_at_hand: Any, part: Any) -> None:
    def work(job: JobContext) -> None:
        with transaction.atomic():
            zoo.mail.delay(number=1)
            job.complete("settled")

    part(work)
    zoo.perform.delay()
    assert [run.job.result for run in jobs_at_hand.run_all()] == ["settled", 1]


def test_a_failure_carries_the_jobs_traceback(jobs_at_hand: Any, part: Any) -> None:
    def work(_: JobContext) -> None:
        raise PermanentError("no such message")

    part(work)
    zoo.perform.delay()
    with pytest.raises(JobsFailed, match="no such message") as caught:
        jobs_at_hand.run_all()
    assert "in work\n" in str(caught.value)
    assert "zoo.perform {}, run 1: failed; the job is failed" in str(caught.value)
    assert [attempt.outcome for attempt in caught.value.attempts] == ["failed"]


def test_an_error_of_the_database_ends_the_run_and_not_the_tests_transaction(jobs_at_hand: Any, part: Any) -> None:
    def work(_: JobContext) -> None:
        for _attempt in range(2):
            QueuePause.objects.create(queue="email", owner="me", reason="x")

    part(work)
    handle = zoo.perform.delay()
    (run,) = jobs_at_hand.run_all(failures=True)
    assert (run.error_class, handle.state) == (IntegrityError.__name__, "delayed")
    assert Attempt.objects.count() == 1


def test_a_block_that_failed_inside_the_handler_does_not_end_the_tests_transaction(jobs_inline: Any, part: Any) -> None:
    def work(_: JobContext) -> None:
        with transaction.atomic(savepoint=False):
            raise ValueError("no")

    part(work)
    zoo.perform.delay()
    assert [run.error_class for run in jobs_inline.run_all(failures=True)] == ["ValueError"]


def test_what_cannot_be_claimed_is_left(jobs_at_hand: Any) -> None:
    queues.pause("email", reason="test")
    held, free = zoo.mail.delay(number=1), zoo.perform.delay()
    assert [run.job_id for run in jobs_at_hand.run_all()] == [free.id]
    assert held.state == "waiting"
    queues.resume("email")
    assert [run.job_id for run in jobs_at_hand.run_all()] == [held.id]


def test_jobs_of_one_key_follow_each_other(jobs_at_hand: Any) -> None:
    for _ in range(3):
        zoo.perform.apply_async(kwargs={}, concurrency_key="escrow:1")
    assert len(jobs_at_hand.run_all()) == 3


def test_a_job_that_never_ends_is_told(jobs_inline: Any, part: Any) -> None:
    def again(_: JobContext) -> None:
        raise Snooze(0)

    part(again)
    zoo.perform.delay()
    with pytest.raises(AssertionError, match=r"5 runs, and there is always another: zoo.perform .*, run 5"):
        run_all(limit=5)


# ---------------------------------------------------------------- time
def test_only_what_is_due_by_then_runs(jobs_at_hand: Any) -> None:
    soon = zoo.perform.apply_async(kwargs={}, countdown=60)
    late = zoo.perform.apply_async(kwargs={}, countdown=7200)
    assert run_due() == []
    assert [run.job_id for run in run_due(now=now() + HOUR)] == [soon.id]
    assert (soon.state, late.state) == ("completed", "delayed")


def test_what_would_have_expired_by_then_does_not_run(jobs_at_hand: Any) -> None:
    handle = zoo.perform.apply_async(kwargs={}, expires=60)
    assert run_due(now=now() + HOUR) == []
    assert handle.state == "cancelled"


def test_draining_runs_every_retry_without_waiting(jobs_at_hand: Any, part: Any) -> None:
    def work(job: JobContext) -> int:
        if job.run < 3:
            raise RuntimeError(f"run {job.run}")
        return job.run

    part(work)
    handle = zoo.perform.delay()
    assert [run.outcome for run in drain()] == ["failed", "failed", "completed"]
    assert fresh(handle.id).result == 3


def test_draining_ends_where_it_is_told_to(jobs_inline: Any) -> None:
    zoo.perform.apply_async(kwargs={}, countdown=7200)
    assert drain(until=now() + HOUR) == []
    assert len(drain(until=now() + timedelta(hours=3))) == 1


def test_draining_says_what_failed_in_the_end(jobs_inline: Any, part: Any) -> None:
    def work(job: JobContext) -> None:
        raise RuntimeError(f"run {job.run}")

    part(work)
    zoo.perform.delay()
    with pytest.raises(JobsFailed) as caught:
        drain()
    assert "run 3: failed; the job is failed" in str(caught.value)
    assert "RuntimeError: run 1" not in str(caught.value)


# ---------------------------------------------------------------- a handler by hand
def test_a_running_job_ends_with_its_block(jobs_inline: Any) -> None:
    with running_job(zoo.mail, number=7) as job:
        assert (fresh(job.id).state, current_job().id, job.run) == ("active", job.id, 1)
        assert zoo.mail(number=7) == 7
    assert fresh(job.id).state == "completed"


def test_what_a_running_jobs_block_raises_comes_out_and_is_judged(jobs_inline: Any) -> None:
    with pytest.raises(PermanentError), running_job("zoo.perform") as job:
        raise PermanentError("no")
    assert (fresh(job.id).state, fresh(job.id).error) == ("failed", "no")


def test_a_running_job_knows_its_secrets(jobs_inline: Any) -> None:
    with running_job(zoo.secretive, who="ada", iban="DE02120300000000202051") as job:
        job.log("paid to DE02120300000000202051")
    assert JobLog.objects.get().line == "paid to •••"


# ---------------------------------------------------------------- the surroundings
def test_nobody_is_rung_while_the_fixture_holds_and_the_broker_is_believed_in_afterwards(
    jobs_inline: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        zoo.perform.delay()
    assert (breaker.open, callbacks) == (True, [])
    breaker.worked()
    assert not breaker.open


def test_no_connection_but_the_tests_own_is_opened(jobs_inline: Any, part: Any) -> None:
    def count(_: JobContext) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            found: int = cursor.fetchone()[0]
        return found

    part(count)
    before = count(None)  # type: ignore[arg-type]
    zoo.perform.delay()
    (run,) = run_all()
    assert run.job.result == before
