"""One run of one job, from claim to report."""

from __future__ import annotations

import pickle
import traceback
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import Retry

from jobs import (
    Cancelled,
    JobContext,
    OutcomeUnknown,
    PermanentError,
    Released,
    Skipped,
    Snooze,
    current_job,
    lifecycle,
    queues,
)
from jobs.database import now
from jobs.enqueue import enqueue_json
from jobs.execution import JobFailed, run_job
from jobs.kinds import kind_of
from jobs.models import Attempt, Job, QueuePause
from tests.jobs import zoo
from tests.jobs.conftest import Broker, Play
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, LONG_AGO, fresh, make
from tests.jobs.zoo import perform

pytestmark = [COMMITTED, pytest.mark.usefixtures("play")]

SECRET = "the handler's own words"


def run(job: Job) -> str:
    return run_job(kind_of(job.kind), job.id)


def raising(error: BaseException) -> Any:
    def part(_: JobContext) -> None:
        raise error

    return part


def outcome(job: Job) -> str:
    return Attempt.objects.filter(job=job).latest("number").outcome


def test_a_handler_that_returns_completes_its_job() -> None:
    job = make(kind="zoo.mail", args={"number": 7})
    assert run(job) == "done"
    assert (fresh(job).state, fresh(job).result, fresh(job).runs) == ("completed", 7, 1)


def test_a_message_delivered_twice_runs_once() -> None:
    job = make()
    assert (run(job), run(job)) == ("done", "duplicate")
    assert zoo.stage.calls == [1]


def test_a_job_that_left_is_gone() -> None:
    job = make()
    Job.objects.all().delete()
    assert run(job) == "gone"


def test_what_cannot_start_says_why_and_keeps_waiting() -> None:
    job = make(published_at=now())
    queues.pause("general", reason="test")
    assert run(job) == "paused"
    QueuePause.objects.all().delete()
    assert fresh(job).published_at is None
    assert (zoo.stage.calls, fresh(job).runs) == ([], 0)


def test_a_skipped_job_is_completed_and_says_why() -> None:
    zoo.stage.part = raising(Skipped("nothing to do"))
    job = make()
    assert run(job) == "skipped"
    assert (fresh(job).state, fresh(job).result, outcome(job)) == ("completed", {"skipped": "nothing to do"}, "skipped")


def test_a_snooze_spends_no_attempt(play: Play) -> None:
    job = play(raising(Snooze(60, "later")), failures=2)
    assert (job.state, job.failures, job.runs, outcome(job)) == ("delayed", 2, 1, "snoozed")
    assert timedelta(seconds=55) < job.available_at - now() <= timedelta(seconds=60)


def test_failures_back_off_and_then_fail(play: Play) -> None:
    job = make()
    delays = []
    for _ in range(2):
        job = play(raising(ValueError("no")), job)
        assert job.state == "delayed"
        delays.append((job.available_at - now()).total_seconds())
        lifecycle.promote(now=now() + HOUR, limit=1)
    assert 1.5 < delays[0] <= 2.2
    assert 3.5 < delays[1] <= 4.4
    job = play(raising(ValueError("no")), job)
    assert (job.state, job.failures, job.error) == ("failed", 3, "no")
    attempt = Attempt.objects.get(job=job, number=3)
    assert (attempt.error_class, attempt.message) == ("ValueError", "no")
    assert "in part" in attempt.traceback


def test_a_permanent_error_fails_at_once(play: Play) -> None:
    job = play(raising(PermanentError("never")))
    assert (job.state, job.failures) == ("failed", 1)


def test_an_unknown_outcome_parks_the_job(play: Play) -> None:
    job = play(raising(OutcomeUnknown("the bank did not answer")))
    assert (job.state, job.failures, outcome(job)) == ("unknown", 0, "unknown")
    assert play(lambda _: None, job).state == "unknown", "it is not run again"
    assert zoo.stage.calls == [1]


def test_a_doubt_that_may_be_sent_again_is_delayed(play: Play) -> None:
    job = play(raising(OutcomeUnknown("no answer", resend_after=600)), failures=2)
    assert (job.state, job.failures, outcome(job)) == ("delayed", 2, "unknown")
    assert job.available_at - now() > timedelta(seconds=590)


@pytest.mark.parametrize("word", [Released("shutdown"), Snooze(0), OutcomeUnknown("?", resend_after=0)])
def test_who_wants_to_run_again_at_once_is_rung_at_once(play: Play, broker: Broker, word: Exception) -> None:
    job = play(raising(word), failures=1, available_at=LONG_AGO)
    assert (job.state, job.failures, job.runs) == ("waiting", 1, 1)
    assert broker.task_ids() == [f"{job.id}.1"]


def test_a_snooze_of_zero_goes_to_the_end_of_the_line(play: Play) -> None:
    before = now()
    assert play(raising(Snooze(0)), available_at=LONG_AGO).available_at >= before


def test_a_cancelled_job_says_so() -> None:
    zoo.stage.part = raising(Cancelled("enough"))
    job = make()
    assert run(job) == "cancelled"
    assert fresh(job).state == "cancelled"


def test_a_cancel_asked_for_in_the_last_run_stops_the_next_before_it_starts(play: Play) -> None:
    job = play(lambda _: None, cancel_requested=True)
    assert (job.state, zoo.stage.calls) == ("cancelled", [])


@pytest.mark.parametrize(
    ("error", "reported"),
    [
        (ValueError(SECRET), Retry),
        (Snooze(5, SECRET), Retry),
        (Released(SECRET), Retry),
        (OutcomeUnknown(SECRET, resend_after=5), Retry),
        (PermanentError(SECRET), JobFailed),
        (OutcomeUnknown(SECRET), JobFailed),
    ],
)
def test_celery_is_told_the_class_and_nothing_of_the_text(error: Exception, reported: type[Exception]) -> None:
    zoo.stage.part = raising(error)
    with pytest.raises(reported) as caught:
        run(make())
    told = caught.value
    assert told.__cause__ is None
    assert told.__context__ is None or told.__suppress_context__
    everything = "".join(traceback.format_exception(told)) + repr(told) + str(told) + repr(told.args) + repr(vars(told))
    everything += "".join(traceback.TracebackException.from_exception(told, capture_locals=False).format(chain=True))
    assert SECRET not in everything
    assert SECRET.encode() not in pickle.dumps(told)
    assert type(error).__name__ in everything


def test_arguments_that_no_longer_fit_the_signature_are_a_failure() -> None:
    job = make(kind="zoo.mail", args={"count": 7})
    with pytest.raises(Retry):
        run(job)
    assert fresh(job).error.startswith("zoo.mail: argument 'number' is missing")


def test_arguments_arrive_with_the_types_of_the_signature() -> None:
    args = {"key": "01a20bf9-b03d-73b4-8fb5-501628c94120", "day": "2024-02-29", "ratio": 2}
    handle = enqueue_json(kind_of("zoo.typed"), args)
    assert run(fresh(handle.id)) == "done"
    assert fresh(handle.id).result == ["UUID", "date", "float"]


@pytest.mark.parametrize("name", ["zoo.typed_once", "zoo.typed_long_ago"])
def test_a_row_under_a_former_name_still_runs(name: str) -> None:
    job = make(kind=name, args={"key": "01a20bf9-b03d-73b4-8fb5-501628c94120"})
    assert run(job) == "done"


def test_a_system_exit_in_a_handler_is_its_failure(play: Play) -> None:
    assert play(raising(SystemExit(3))).state == "delayed"


def test_a_finished_run_lets_the_next_of_its_key_ring(broker: Broker) -> None:
    later = make(concurrency_key="k", priority=7)
    sooner = make(concurrency_key="k", priority=1)
    other = make(concurrency_key="other")
    run(make(concurrency_key="k"))
    assert broker.task_ids() == [f"{sooner.id}.1"]
    assert fresh(later).published_at is None
    assert fresh(other).published_at is None


def test_a_run_whose_lease_was_lost_writes_nothing(play: Play) -> None:
    def part(_: JobContext) -> str:
        lifecycle.lose_expired(now=now() + HOUR, limit=1)
        return "too late"

    job = make()
    zoo.stage.part = part
    assert run(job) == "lease-lost"
    assert (fresh(job).state, fresh(job).result, fresh(job).crashes) == ("waiting", None, 1)


def test_outside_of_a_job_nobody_runs() -> None:
    with pytest.raises(LookupError, match="no job is running here"):
        current_job()
    run(make())
    with pytest.raises(LookupError):
        current_job()


def test_called_plainly_it_is_the_function() -> None:
    assert zoo.mail(number=3) == 3
    with pytest.raises(NotImplementedError, match="call the function itself"):
        perform.apply()  # type: ignore[attr-defined]


def test_a_handler_that_calls_its_own_function_means_the_function() -> None:
    def part(context: JobContext) -> Any:
        return "inner" if len(zoo.stage.calls) > 1 else [perform(), "outer"]

    zoo.stage.part = part
    job = make()
    perform.push_request(id=f"{job.id}.1", called_directly=False)  # type: ignore[attr-defined]
    try:
        assert perform() == "done"
    finally:
        perform.pop_request()  # type: ignore[attr-defined]
    assert fresh(job).result == ["inner", "outer"]
