"""Many jobs under one doorbell: who is taken along, and what becomes of each."""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from celery.exceptions import Retry
from django.db import transaction

from jobs import JobContext, PermanentError, Snooze, fold, heartbeat, lifecycle, queues
from jobs.database import now
from jobs.execution import JobFailed
from jobs.fold import Ended, Fold, Pace, run_fold
from jobs.heartbeat import Lease
from jobs.ids import uuid7
from jobs.kinds import kind_of
from jobs.lifecycle import Claim
from jobs.models import Attempt, Job
from jobs.outcomes import LeaseLost, completed
from jobs.states import State
from tests.jobs import zoo
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import LONG_AGO, bells, fresh, make, taken, together

pytestmark = COMMITTED

KIND = kind_of("zoo.flock")


def sheep(number: int = 0, **fields: Any) -> Job:
    return make(**{"kind": KIND.name, "queue": "email", "args": {"number": number}} | fields)


def flock(count: int) -> list[Job]:
    return [sheep(number) for number in range(count)]


def claim(job: Job, *, size: int = 10, token: uuid.UUID | None = None) -> list[Claim]:
    who: dict[str, Any] = {"token": token or uuid7(), "worker": uuid7(), "pid": 4711}
    return lifecycle.claim_fold(job_id=job.id, kinds=KIND.names, timeout=60.0, spell=1.0, size=size, **who)


def ids(found: list[Claim]) -> list[uuid.UUID]:
    return [each.id for each in found]


@pytest.fixture
def crowd(broker: Broker, _heartbeats_end: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """`crowd(job, part)` answers the doorbell of a job, by a process that has learnt that these jobs are short."""
    learnt = Pace()
    learnt.note(KIND, seconds=0.001, jobs=1)
    monkeypatch.setattr(fold, "pace", learnt)
    zoo.stage.calls.clear()

    def answer(job: Job, part: Callable[[JobContext], Any] = lambda _: None) -> str:
        zoo.stage.part = part
        return run_fold(KIND, job.id)

    yield answer
    zoo.stage.part = lambda _: None


# ------------------------------------------------------------------ who is taken along
def test_the_named_job_and_those_that_wait_longest_are_claimed_under_one_token() -> None:
    flocked = flock(5)
    found = claim(flocked[4], size=3)
    assert ids(found) == [flocked[0].id, flocked[1].id, flocked[4].id]
    assert len({each.token for each in found}) == 1
    assert {fresh(each.id).state for each in found} == {"active"}
    assert {fresh(job).state for job in flocked[2:4]} == {"waiting"}


def test_priority_goes_before_age() -> None:
    last, first = sheep(priority=9), sheep(priority=0)
    named = sheep()
    assert ids(claim(named)) == [first.id, named.id, last.id]


def test_others_than_waiting_jobs_of_the_kind_and_queue_stay() -> None:
    named = sheep()
    sheep(kind="zoo.perform")
    sheep(queue="general")
    sheep(state=State.DELAYED)
    sheep(crashes=1)
    sheep(concurrency_key="account:1")
    sheep(expires_at=LONG_AGO)
    assert ids(claim(named)) == [named.id]


def test_one_with_a_concurrency_key_comes_when_it_is_named_and_its_key_is_free() -> None:
    named = sheep(concurrency_key="account:1")
    second = sheep(concurrency_key="account:1")
    assert ids(claim(named)) == [named.id]
    assert claim(second) == []


def test_one_that_has_crashed_comes_alone() -> None:
    flock(3)
    poison = sheep(crashes=1)
    assert ids(claim(poison)) == [poison.id]


def test_a_doorbell_whose_job_was_taken_along_by_another_still_finds_work() -> None:
    gone, here = flock(2)
    taken(gone)
    assert ids(claim(gone)) == [here.id]


def test_those_far_behind_a_line_of_another_kind_are_not_looked_for() -> None:
    named = sheep()
    Job.objects.bulk_create(
        Job(kind="zoo.mail", queue="email", state="waiting", available_at=LONG_AGO, args={"number": 1})
        for _ in range(200)
    )
    sheep()
    assert ids(claim(named, size=10)) == [named.id]


def test_nothing_is_claimed_on_a_paused_queue() -> None:
    named, _ = flock(2)
    queues.pause("email", reason="maintenance")
    assert claim(named) == []


def test_a_claim_whose_answer_was_lost_is_the_same_claim() -> None:
    flocked = flock(4)
    token = uuid7()
    first = claim(flocked[0], size=2, token=token)
    again = claim(flocked[0], size=2, token=token)
    assert ids(first) == ids(again)
    assert [each.run for each in again] == [1, 1]
    assert [fresh(job).state for job in flocked] == ["active", "active", "waiting", "waiting"]


def test_processes_share_a_flock_and_nobody_is_claimed_twice() -> None:
    flocked = flock(40)
    found = together(lambda: claim(flocked[0]), threads=8)
    claimed = [job_id for each in found for job_id in ids(each)]
    assert len(claimed) == len(set(claimed)) == Job.objects.filter(state="active").count()
    assert len(claimed) >= 30, "in eight claims of up to ten"


# ------------------------------------------------------------------ what becomes of each
def test_each_has_its_own_attempt_outcome_and_retry(crowd: Callable[..., str]) -> None:
    flocked = flock(5)

    def part(context: JobContext) -> str:
        match context.claim.args["number"]:
            case 1:
                raise ValueError("no luck")
            case 2:
                raise PermanentError("never")
            case 3:
                raise Snooze(30)
        return f"run {context.run}"

    said = crowd(flocked[0], part)
    rows = [fresh(job) for job in flocked]
    assert [row.state for row in rows] == ["completed", "delayed", "failed", "delayed", "completed"]
    assert [row.failures for row in rows] == [0, 1, 1, 0, 0]
    assert [row.result for row in rows] == ["run 1", None, None, None, "run 1"]
    outcomes = Attempt.objects.order_by("job_id").values_list("outcome", "error_class", "number")
    assert list(outcomes) == [
        ("completed", "", 1),
        ("failed", "ValueError", 1),
        ("failed", "PermanentError", 1),
        ("snoozed", "Snooze", 1),
        ("completed", "", 1),
    ]
    assert said == "2 completed, 2 delayed, 1 failed"


def test_its_attempts_tell_when_each_ran_not_when_all_were_claimed(crowd: Callable[..., str]) -> None:
    flocked = flock(3)
    crowd(flocked[0], lambda _: threading.Event().wait(0.02))
    spans = list(Attempt.objects.order_by("job_id").values_list("started_at", "finished_at"))
    assert all(end > begin for begin, end in spans)
    assert all(later[0] >= earlier[1] for earlier, later in pairwise(spans))


def test_one_job_alone_is_reported_as_ever(crowd: Callable[..., str]) -> None:
    def fail(_: JobContext) -> None:
        raise ValueError("no luck")

    with pytest.raises(Retry):
        crowd(sheep(), fail)
    with pytest.raises(JobFailed):
        crowd(sheep(failures=2), fail)
    assert crowd(sheep()) == "done"


def test_a_doorbell_that_finds_nothing_says_why(crowd: Callable[..., str]) -> None:
    done = sheep()
    crowd(done)
    assert crowd(done) == "duplicate"
    queues.pause("email", reason="maintenance")
    assert crowd(sheep()) == "paused"


def test_more_than_one_fold_is_run_while_others_wait(crowd: Callable[..., str]) -> None:
    flocked = flock(35)
    assert crowd(flocked[0]) == "35 completed"
    assert sorted(zoo.stage.calls) == list(range(35))


def test_after_its_spell_the_rest_is_given_back_and_a_doorbell_passed_on(
    crowd: Callable[..., str], broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "SPELL", 0.05)
    flocked = flock(4)
    crowd(flocked[0], lambda _: threading.Event().wait(0.06))
    rows = [fresh(job) for job in flocked]
    assert [row.state for row in rows] == ["completed", "waiting", "waiting", "waiting"]
    assert [row.runs for row in rows] == [1, 0, 0, 0]
    assert [row.lease_token for row in rows[1:]] == [None] * 3
    assert broker.task_ids("email") == [f"{flocked[1].id}.1"]


def test_no_doorbell_is_added_to_many(
    crowd: Callable[..., str], broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "SPELL", 0.05)
    named, *_ = flock(3)
    zoo.flock.delay_many([{"number": n} for n in range(8)])
    before = broker.task_ids("email")
    crowd(named, lambda _: threading.Event().wait(0.06))
    assert broker.task_ids("email") == before


def test_a_job_that_asks_to_run_again_at_once_is_rung_again(crowd: Callable[..., str], broker: Broker) -> None:
    job = sheep()

    def part(context: JobContext) -> None:
        raise Snooze(0)

    with suppress(Retry):
        crowd(job, part)
    assert (fresh(job).state, fresh(job).runs) == ("waiting", 1)
    assert broker.task_ids("email") == bells(job)


def test_a_fold_that_is_told_to_stop_gives_the_rest_back_unrung(crowd: Callable[..., str]) -> None:
    flocked = flock(3)
    Job.objects.update(published_at=now())

    def part(context: JobContext) -> None:
        raise SystemExit(-241)

    with suppress(Retry):
        crowd(flocked[0], part)
    rows = [fresh(job) for job in flocked]
    assert [row.state for row in rows] == ["waiting"] * 3
    assert [row.runs for row in rows] == [1, 0, 0]
    assert [row.published_at for row in rows[1:]] == [None, None]


def test_one_whose_lease_was_taken_writes_nothing_and_the_others_do(crowd: Callable[..., str]) -> None:
    flocked = flock(3)

    def part(context: JobContext) -> None:
        if context.id == flocked[1].id:
            Job.objects.filter(pk=context.id).update(lease_token=uuid7())
            with pytest.raises(LeaseLost):
                context.checkpoint()

    assert crowd(flocked[0], part) == "2 completed, 1 lease lost"
    assert fresh(flocked[1]).state == "active"
    assert not Attempt.objects.filter(job=flocked[1]).exists()


def test_one_that_completes_itself_with_its_effects_is_completed_once(crowd: Callable[..., str]) -> None:
    flocked = flock(2)

    def part(context: JobContext) -> None:
        with transaction.atomic():
            context.complete({"by": "itself"})

    assert crowd(flocked[0], part) == "2 completed"
    assert [fresh(job).result for job in flocked] == [{"by": "itself"}] * 2
    assert Attempt.objects.count() == 2


# ------------------------------------------------------------------ the leases of those who wait
def test_a_long_run_keeps_the_leases_of_its_company_and_writes_down_who_has_ended(heart: heartbeat.Heart) -> None:
    first, second, third = flock(3)
    held = Fold(claim(first), end=math.inf)
    claims = {each.id: each for each in held.waiting}
    held.next()
    held.end(Ended(claim=claims[first.id], verdict=completed("early"), began=0.0, ended=0.0))
    assert fresh(first).state == "active", "written together with others"
    running = held.next()
    assert running
    Job.objects.filter(pk__in=[second.id, third.id]).update(lease_until=LONG_AGO)
    lease = Lease(running, timeout=60.0, budget=running.budget(backoff=1.0, cap=1.0), company=held)
    with heart.holding(lease):
        _until(lambda: all((fresh(job).lease_until or LONG_AGO) > now() for job in (second, third)))
        _until(lambda: fresh(first).state == "completed")
    assert fresh(first).result == "early"


def test_after_the_spell_those_who_wait_behind_a_long_run_are_left_to_others(heart: heartbeat.Heart) -> None:
    first, second, third = flock(3)
    Job.objects.update(published_at=now())
    held = Fold(claim(first), end=time.monotonic())
    running = held.next()
    assert running
    lease = Lease(running, timeout=60.0, budget=running.budget(backoff=1.0, cap=1.0), company=held)
    with heart.holding(lease):
        _until(lambda: {fresh(job).state for job in (second, third)} == {"waiting"})
    assert fresh(second).published_at is None
    assert held.next() is None
    assert fresh(first).state == "active"


def test_at_a_deadline_those_who_ended_are_written_and_those_who_wait_given_back(heart: heartbeat.Heart) -> None:
    first, second, third = flock(3)
    exits: list[int] = []
    own = heartbeat.Heart(exit_=exits.append)
    held = Fold(claim(first), end=math.inf)
    ended, running = held.next(), held.next()
    assert ended
    assert running
    held.end(Ended(claim=ended, verdict=completed(None), began=0.0, ended=0.0))
    lease = Lease(running, timeout=0.05, budget=running.budget(backoff=1.0, cap=1.0), company=held)
    with own.holding(lease):
        _until(lambda: bool(exits))
    assert [fresh(job).state for job in (first, second, third)] == ["completed", "delayed", "waiting"]
    assert Attempt.objects.get(job=second).outcome == "timed out"
    assert fresh(third).runs == 0


def test_a_cancel_asked_for_meanwhile_holds_for_one_that_is_given_back() -> None:
    first, second = flock(2)
    claims = claim(first)
    lifecycle.cancel(second.id, reason="no more")
    assert lifecycle.give_back(claims, unrung=False) == 2
    assert [fresh(job).state for job in (first, second)] == ["waiting", "cancelled"]


def test_a_run_that_came_before_is_not_forgotten_when_one_is_given_back() -> None:
    job = sheep(runs=2)
    lifecycle.give_back(claim(job), unrung=False)
    assert fresh(job).runs == 2


def test_a_dead_child_loses_all_that_it_held() -> None:
    claims = claim(flock(3)[0])
    row = fresh(claims[0].id)
    assert row.worker is not None
    lost = lifecycle.lose_child(worker=row.worker, pid=4711)
    assert {job.id for job in lost} == set(ids(claims))
    assert set(Job.objects.values_list("crashes", "state")) == {(1, "waiting")}


# ------------------------------------------------------------------ how many, and how they are rung
def test_a_process_claims_one_until_it_knows_how_long_they_take() -> None:
    pace = Pace()
    assert pace.size(KIND) == 1
    pace.note(KIND, seconds=0.02, jobs=1)
    assert pace.size(KIND) == 5
    pace.note(KIND, seconds=0.0001, jobs=10)
    assert pace.size(KIND) == 9
    for _ in range(10):
        pace.note(KIND, seconds=0.0001, jobs=10)
    assert pace.size(KIND) == KIND.batch
    pace.note(KIND, seconds=60.0, jobs=1)
    assert pace.size(KIND) == 1


def test_a_crowd_is_rung_by_one_doorbell_a_batch_but_by_enough_for_all_processes(broker: Broker, settings: Any) -> None:
    settings.JOBS_QUEUES = settings.JOBS_QUEUES | {"email": {"concurrency": 2, "prefetch": 16}}
    zoo.flock.delay_many([{"number": n} for n in range(3)])
    assert len(broker.task_ids("email")) == 3
    broker.empty()
    handles = zoo.flock.delay_many([{"number": n} for n in range(100)])
    assert broker.task_ids("email") == [f"{handle.id}.1" for handle in handles[:10]]
    assert not Job.objects.filter(published_at=None).exists()
    broker.empty()
    zoo.mail.apply_async(kwargs={"number": 1}, priority=5)
    zoo.mail.delay_many([{"number": n} for n in range(20)])
    assert len(broker.task_ids("email")) == 21, "another kind's are for one job each"


def _until(true: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(1000):
        if true():
            return
        waiting.wait(0.01)
    raise AssertionError("waited in vain")
