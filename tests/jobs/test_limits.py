"""Limits of a queue, kept at the claim."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs import lifecycle, limits, queues
from jobs.database import now
from jobs.ids import uuid7
from jobs.lifecycle import Claim
from jobs.models import Job, QueueLimit
from jobs.outcomes import Outcome, Verdict
from jobs.selectors import why_not_running
from jobs.standing import standings
from jobs.states import State
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import SECOND, fresh, make, relay, take, taken, together, worker

pytestmark = COMMITTED


def finished(claim: Claim) -> State | None:
    return lifecycle.finish(claim, Verdict(outcome=Outcome.COMPLETED, state=State.COMPLETED))


def fold(job: Job, *, size: int) -> list[Claim]:
    return lifecycle.claim_fold(
        job_id=job.id, kinds=[job.kind], token=uuid7(), worker=uuid7(), pid=1, timeout=60.0, spell=1.0, size=size
    )


def window(**changes: object) -> None:
    QueueLimit.objects.filter(queue="general").update(**changes)


def test_no_more_run_at_once_than_the_queue_allows() -> None:
    limits.limit("general", concurrency=2)
    first, second, third, elsewhere = make(), make(), make(), make(queue="email")
    one = taken(first)
    taken(second)
    assert take(third) is None
    assert (fresh(third).state, fresh(third).runs) == ("waiting", 0)
    taken(elsewhere)
    finished(one)
    taken(third)


def test_workers_that_claim_at_the_same_moment_take_turns() -> None:
    limits.limit("general", concurrency=3)
    crowd = [make() for _ in range(12)]
    line = iter(crowd)
    claims = together(lambda: take(next(line)), threads=len(crowd))
    assert sum(1 for claim in claims if claim) == 3


def test_a_rate_starts_so_many_in_a_period_and_the_next_period_as_many() -> None:
    limits.limit("general", rate=2, period=3600)
    crowd = [make() for _ in range(5)]
    assert [bool(take(job)) for job in crowd] == [True, True, False, False, False]
    window(window_start=now() - timedelta(seconds=3601))
    assert [bool(take(job)) for job in crowd[2:]] == [True, True, False]


def test_a_period_follows_the_one_before_without_a_gap_while_the_queue_is_busy() -> None:
    limits.limit("general", rate=1, period=3600)
    began = now() - timedelta(seconds=3610)
    window(window_start=began, window_runs=1)
    taken(make())
    assert QueueLimit.objects.get().window_start == began + timedelta(seconds=3600)
    window(window_start=now() - timedelta(seconds=9000))
    before = now()
    taken(make())
    found = QueueLimit.objects.get()
    assert found.window_start is not None
    assert found.window_start >= before, "after a quiet time it begins with the first run"
    assert found.window_runs == 1


def test_both_limits_hold_at_once() -> None:
    limits.limit("general", concurrency=1, rate=2, period=3600)
    finished(taken(make()))
    finished(taken(make()))
    assert take(make()) is None


def test_a_fold_takes_no_more_than_may_start() -> None:
    limits.limit("general", rate=3, period=3600)
    crowd = [make() for _ in range(6)]
    assert len(fold(crowd[0], size=10)) == 3
    limits.limit("general", concurrency=5)
    assert len(fold(crowd[4], size=10)) == 1, "each that is claimed counts as running"


def test_a_claim_whose_answer_was_lost_is_not_counted_twice() -> None:
    limits.limit("general", concurrency=1, rate=5, period=3600)
    job, token = make(), uuid7()
    first, again = taken(job, token=token), taken(job, token=token)
    assert (first.run, again.run) == (1, 1)
    assert QueueLimit.objects.get().window_runs == 1


def test_who_is_refused_says_so_and_counts_as_not_told(known: Broker) -> None:
    worker()
    limits.limit("general", concurrency=1)
    taken(make())
    held = make(published_at=now())
    assert take(held) is None
    assert lifecycle.refusal(held.id, [held.kind]) == "limited"
    assert fresh(held).published_at is None
    assert why_not_running(fresh(held), now()) == (
        "limit of queue 'general': all that may run at once are running (limit 1)"
    )


def test_the_relay_rings_only_what_may_start(known: Broker) -> None:
    limits.limit("general", concurrency=3)
    taken(make())
    crowd = [make() for _ in range(10)]
    relay()
    relay()
    assert len(known.task_ids()) == 2
    assert [bool(fresh(job).published_at) for job in crowd] == [True, True] + [False] * 8


def test_the_keeper_wakes_when_the_next_period_begins() -> None:
    assert limits.next_window() is None
    limits.limit("general", rate=1, period=60)
    taken(make())
    assert limits.next_window() is None, "nothing waits"
    make()
    began = QueueLimit.objects.get().window_start
    assert began is not None
    assert limits.next_window() == began + timedelta(seconds=60)
    window(window_start=now() - 61 * SECOND)
    assert limits.next_window() is None, "it has begun"


def test_a_lifted_limit_holds_nobody(known: Broker) -> None:
    limits.limit("general", concurrency=1)
    taken(make())
    held = make()
    assert take(held) is None
    assert limits.lift("general")
    assert not limits.lift("general")
    taken(held)


def test_a_queue_says_why_nothing_more_starts(known: Broker) -> None:
    limits.limit("general", rate=1, period=3600)
    taken(make())
    make()
    [general] = [found for found in standings(now()) if found.queue == "general"]
    assert general.limit is not None
    assert limits.words(general.limit) == "at most 1 starts in 3600 s"
    assert general.held_back.startswith("1 runs started in this period of 3600 s; the next begins in ")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "A limit says how many"),
        ({"concurrency": 0}, "concurrency is 1 to 1,000,000, got 0. To stop a queue, pause it."),
        ({"rate": 5}, "A rate needs its period"),
        ({"period": 5.0}, "A limit says how many"),
        ({"rate": 0, "period": 5.0}, "rate is 1 to"),
        ({"rate": 1, "period": 0.5}, "A period is 1 second to"),
        ({"rate": 1, "period": 1e9}, "A period is 1 second to"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(given: dict[str, float], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        limits.limit("general", **given)  # type: ignore[arg-type]
    assert not QueueLimit.objects.exists()


def test_an_unknown_queue_is_refused() -> None:
    with pytest.raises(queues.UnknownQueue, match="email"):
        limits.limit("emial", concurrency=1)


@pytest.mark.parametrize(
    ("text", "rate"), [("10/s", (10, 1.0)), ("100/5m", (100, 300.0)), ("1000/h", (1000, 3600.0)), ("5/d", (5, 86400.0))]
)
def test_a_rate_is_written_shortly(text: str, rate: tuple[int, float]) -> None:
    assert limits.read_rate(text) == rate


@pytest.mark.parametrize("text", ["", "10", "10/", "/s", "-1/s", "1.5/s", "10/x", "10/s/s", "\u0661/s"])
def test_a_rate_that_cannot_be_read_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="A rate is written"):
        limits.read_rate(text)
