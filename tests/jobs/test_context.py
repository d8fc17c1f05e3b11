"""What a handler can say while it runs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from jobs import Cancelled, JobContext, LeaseLost, Released, Snooze, lifecycle
from jobs.database import now
from jobs.ids import uuid7
from jobs.models import Attempt, Job, JobLog
from jobs.states import State
from jobs.worker.identity import boot
from tests.jobs.conftest import Play
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, SECOND, fresh, make, taken, worker

pytestmark = COMMITTED


def steal(job_id: Any) -> None:
    """Take the job away and give it to somebody else."""
    lifecycle.lose_expired(now=now() + HOUR, limit=1)
    taken(fresh(job_id))


def test_a_handler_knows_its_job_its_run_and_whether_it_is_the_last(play: Play) -> None:
    seen: list[Any] = []
    job = play(lambda context: seen.append((context.id, context.run, context.last_attempt)), runs=4, failures=1)
    play(lambda context: seen.append((context.id, context.run, context.last_attempt)), failures=2)
    assert seen[0] == (job.id, 5, False)
    assert seen[1][1:] == (1, True)


# ---------------------------------------------------------------- completing
def test_complete_in_a_transaction_ends_the_job_with_its_effects(play: Play) -> None:
    def part(context: JobContext) -> str:
        with transaction.atomic():
            make(State.DELAYED)
            context.complete({"sent": 1})
        return "what it returns afterwards does not count"

    job = play(part)
    assert (job.state, job.result, Attempt.objects.get(job=job).outcome) == ("completed", {"sent": 1}, "completed")
    assert Job.objects.count() == 2


def test_complete_that_is_rolled_back_completes_nothing(play: Play) -> None:
    def part(context: JobContext) -> None:
        with transaction.atomic():
            make(State.DELAYED)
            context.complete()
            raise ValueError("and then")

    job = play(part)
    assert (job.state, job.failures, Job.objects.count(), Attempt.objects.count()) == ("delayed", 1, 1, 1)


@pytest.mark.parametrize("error", [ValueError("afterwards"), Snooze(5), SystemExit()])
def test_what_a_handler_raises_after_completing_changes_nothing(play: Play, error: BaseException) -> None:
    def part(context: JobContext) -> None:
        with transaction.atomic():
            context.complete("done")
        raise error

    job = play(part)
    assert (job.state, job.result, job.failures) == ("completed", "done", 0)
    assert Attempt.objects.count() == 1


def test_complete_outside_of_a_transaction_is_refused(play: Play) -> None:
    job = play(lambda context: context.complete())
    assert (job.state, job.failures) == ("delayed", 1)
    assert "with transaction.atomic()" in job.error


def test_complete_under_a_stolen_lease_rolls_the_effects_back(play: Play) -> None:
    def part(context: JobContext) -> None:
        steal(context.id)
        with transaction.atomic():
            make(State.DELAYED)
            context.complete()

    job = play(part)
    assert (job.state, Job.objects.count()) == ("active", 1)


def test_completing_twice_is_refused(play: Play) -> None:
    def part(context: JobContext) -> None:
        with transaction.atomic():
            context.complete("once")
            with pytest.raises(LeaseLost):
                context.complete("twice")

    assert play(part).result == "once"


# ---------------------------------------------------------------- checkpoints
def test_a_checkpoint_renews_the_lease(play: Play, settings: Any) -> None:
    settings.JOBS_LEASE = 100.0

    def part(context: JobContext) -> None:
        Job.objects.filter(pk=context.id).update(lease_until=now() - HOUR)
        context.checkpoint()
        until = fresh(context.id).lease_until
        assert until is not None
        assert until - now() > 90 * SECOND
        assert fresh(context.id).state == "active"

    assert play(part).state == "completed"


def test_a_checkpoint_after_the_lease_was_stolen_stops_the_handler(play: Play) -> None:
    reached: list[str] = []

    def part(context: JobContext) -> None:
        steal(context.id)
        with pytest.raises(LeaseLost):
            context.checkpoint()
        assert context.lease.lost
        reached.append("once")
        context.checkpoint()
        reached.append("twice")

    job = play(part)
    assert reached == ["once"]
    assert (job.state, job.runs, job.failures) == ("active", 2, 0), "the thief's run goes on"


def test_a_checkpoint_fails_closed_when_the_heartbeat_says_lost(play: Play) -> None:
    def part(context: JobContext) -> None:
        context.lease.lost = True
        context.checkpoint()

    job = play(part)
    assert (job.state, Attempt.objects.get(job=job).error_class) == ("delayed", "LeaseLost")


def test_a_checkpoint_in_a_transaction_is_part_of_it(play: Play) -> None:
    def part(context: JobContext) -> None:
        before = fresh(context.id).lease_until
        with transaction.atomic():
            context.checkpoint()
            assert fresh(context.id).lease_until != before
            transaction.set_rollback(True)
        assert fresh(context.id).lease_until == before

    assert play(part).state == "completed"


def test_a_checkpoint_stops_a_job_that_somebody_cancelled(play: Play) -> None:
    def part(context: JobContext) -> None:
        context.checkpoint()
        lifecycle.cancel(context.id, reason="enough")
        with pytest.raises(Cancelled):
            context.checkpoint()
        raise Cancelled("so be it")

    job = play(part)
    assert (job.state, job.error) == ("cancelled", "so be it")


def test_a_checkpoint_gives_the_job_back_when_its_worker_is_leaving(play: Play) -> None:
    worker(id=boot.id, stopping=True)

    def part(context: JobContext) -> None:
        with pytest.raises(Released):
            context.checkpoint()
        context.checkpoint()

    job = play(part)
    assert (job.state, job.failures, Attempt.objects.get(job=job).outcome) == ("waiting", 0, "released")


def test_a_handler_that_ignores_a_cancel_may_still_complete(play: Play) -> None:
    job = play(lambda context: lifecycle.cancel(context.id, reason="too late"))
    assert job.state == "completed"


# ---------------------------------------------------------------- log and progress
def test_log_lines_are_kept_in_order_with_their_run(play: Play) -> None:
    def part(context: JobContext) -> None:
        for line in ("one", "tw\x00o", "half \ud800"):
            context.log(line)

    job = play(part, runs=2)
    assert list(JobLog.objects.filter(job=job).order_by("id").values_list("run", "line")) == [
        (3, "one"),
        (3, "two"),
        (3, "half ?"),
    ]


def test_a_log_line_of_a_rolled_back_transaction_is_gone_with_it(play: Play) -> None:
    def part(context: JobContext) -> None:
        with transaction.atomic():
            context.log("in vain")
            transaction.set_rollback(True)

    play(part)
    assert JobLog.objects.count() == 0


@pytest.mark.parametrize(
    ("done", "shown"),
    [(50, 50), ({"pages": [1, 2]}, {"pages": [1, 2]}), ("h\x00alf", "half"), (float("nan"), {"not_json": "nan"})],
)
def test_progress_is_shown_while_it_runs(play: Play, done: Any, shown: Any) -> None:
    def part(context: JobContext) -> None:
        context.progress(done)
        assert fresh(context.id).progress == shown

    job = play(part)
    assert (job.state, job.progress) == ("completed", shown)


def test_progress_under_a_stolen_lease_is_not_written(play: Play) -> None:
    def part(context: JobContext) -> None:
        steal(context.id)
        context.progress(99)

    assert play(part).progress is None


def test_a_handler_may_catch_its_own_database_errors(play: Play) -> None:
    def part(context: JobContext) -> str:
        with pytest.raises(IntegrityError), transaction.atomic():
            Job.objects.create(id=context.id, kind="x", queue="x", state="waiting", available_at=now())
        context.log(str(uuid7()))
        return "fine"

    assert play(part).result == "fine"
