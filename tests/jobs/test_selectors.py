"""The reads behind people's views of the engine."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from jobs import queues, selectors
from jobs.database import now
from jobs.ids import uuid7
from jobs.models import Attempt, JobLog, Keeper, QueuePause
from jobs.selectors import Filter, counts, describe, details, keeper_age, living_workers, oldest_due, why_not_running
from jobs.states import State
from tests.jobs.rows import HOUR, LONG_AGO, SECOND, make, worker

pytestmark = pytest.mark.django_db

ID = "01a20bf9-b03d-73b4-8fb5-501628c94120"


@pytest.fixture
def moment() -> datetime:
    return now()


def keeper(ticked_at: datetime) -> None:
    Keeper.objects.create(ticked_at=ticked_at, reap_after=ticked_at, epoch_at=ticked_at)


# ---------------------------------------------------------------- why a job is not running
def test_a_delayed_job_says_when_it_is_due(moment: datetime) -> None:
    job = make(State.DELAYED, available_at=LONG_AGO)
    assert why_not_running(job, moment) == "not due before 2020-01-01 00:00:00 UTC"


@pytest.mark.parametrize("state", [s for s in State if s not in (State.DELAYED, State.WAITING)])
def test_who_runs_or_is_done_needs_no_reason(moment: datetime, state: State) -> None:
    assert why_not_running(make(state), moment) == ""


def test_every_reason_of_a_waiting_job_is_told_in_order_of_weight(moment: datetime) -> None:
    job = make(kind="zoo.mail", concurrency_key="k")
    queues.pause("general", reason="server is ill", until=moment + HOUR)
    queues.pause("general", reason="too many errors", owner="breaker")
    both = "queue paused by operator: server is ill; queue paused by breaker: too many errors"
    assert why_not_running(job, moment) == both
    for owner in ("operator", "breaker"):
        QueuePause.objects.filter(owner=owner).delete()
    assert why_not_running(job, moment) == "no living worker serves queue 'general'"
    worker(kinds=["zoo.perform"])
    assert why_not_running(job, moment) == "no living worker knows kind 'zoo.mail'"
    worker(kinds=["zoo.mail"])
    running = make(State.ACTIVE, concurrency_key="k")
    assert why_not_running(job, moment) == "another job with key 'k' is running"
    running.delete()
    assert why_not_running(job, moment) == "no keeper ticks: start celery beat"
    keeper(moment - 11 * SECOND)
    assert why_not_running(job, moment) == "no keeper ticks: start celery beat"
    Keeper.objects.update(ticked_at=moment - 9 * SECOND)
    assert why_not_running(job, moment) == "waits for a free worker process"


def test_a_job_that_was_rung_does_not_blame_the_keeper(moment: datetime) -> None:
    worker()
    assert why_not_running(make(published_at=moment), moment) == "waits for a free worker process"


def test_a_pause_that_is_over_is_no_reason(moment: datetime) -> None:
    worker()
    queues.pause("general", reason="x", until=moment)
    assert "paused" not in why_not_running(make(published_at=moment), moment)


# ---------------------------------------------------------------- counts
def test_every_queue_and_state_is_counted() -> None:
    make()
    make(queue="email")
    make(State.FAILED, queue="email")
    make(queue="forgotten")
    found = counts()
    assert list(found) == ["email", "payment", "invoice", "general", "forgotten"]
    assert found["email"] == {s.value: int(s in (State.WAITING, State.FAILED)) for s in State}
    assert found["forgotten"]["waiting"] == 1
    assert all(type(state) is str for state in found["payment"])


def test_the_oldest_due_job_of_each_queue_is_known(moment: datetime) -> None:
    make(available_at=moment - HOUR)
    make(available_at=moment - SECOND)
    make(queue="email", available_at=moment + HOUR)
    make(State.DELAYED, queue="payment", available_at=LONG_AGO)
    assert oldest_due(moment) == {"general": 3600.0, "email": 0.0}


def test_a_worker_lives_while_it_was_seen_within_a_lease(moment: datetime, settings: Any) -> None:
    settings.JOBS_LEASE = 12
    worker(name="b", seen_at=moment - 11 * SECOND)
    worker(name="a", seen_at=moment)
    worker(name="silent", seen_at=moment - 13 * SECOND)
    worker(name="left", seen_at=moment, stopped_at=moment)
    assert [w.name for w in living_workers(moment)] == ["a", "b"]


def test_the_keepers_age_is_none_before_the_first_tick(moment: datetime) -> None:
    assert keeper_age(moment) is None
    keeper(moment - SECOND)
    assert keeper_age(moment) == SECOND


# ---------------------------------------------------------------- jobs
def test_a_filter_takes_all_it_names_and_newest_first() -> None:
    first, second = make(subject="escrow:1"), make(subject="escrow:1", kind="zoo.mail")
    make(State.FAILED, queue="email", subject="escrow:1")
    assert list(Filter(subject="escrow:1", state="waiting").apply()) == [second, first]
    assert list(Filter(kind="zoo.mail", queue="general").apply()) == [second]
    assert len(Filter().apply()) == 3
    assert Filter().empty
    assert Filter(queue="", state=None).empty
    assert not Filter(kind="x").empty


def test_a_job_is_found_by_its_id_in_any_writing() -> None:
    job = make()
    for text in (str(job.id), job.id.hex, str(job.id).upper(), job.id):
        assert selectors.get(text) == job


@pytest.mark.parametrize(
    ("text", "said"),
    [("12", "is not a job id"), ("", "is not a job id"), (ID, "there is no job"), (f"{ID}.1", "not a job id")],
)
def test_a_job_that_is_not_there_is_missed_in_words(text: str, said: str) -> None:
    with pytest.raises(LookupError, match=said):
        selectors.get(text)


def test_a_kind_describes_its_job_for_people() -> None:
    assert describe(make(kind="zoo.typed", args={"key": ID, "day": "2024-02-29"})) == f"Look at {ID} on 2024-02-29"
    assert describe(make(kind="zoo.typed_once", args={"key": ID})) == f"Look at {ID} on None"


@pytest.mark.parametrize(
    ("kind", "args"), [("zoo.gone", {}), ("zoo.mail", {}), ("zoo.typed", {"no": 1}), ("zoo.typed", {"key": "x"})]
)
def test_a_job_that_cannot_be_described_shows_its_kind(kind: str, args: dict[str, Any]) -> None:
    assert describe(make(kind=kind, args=args)) == kind


def test_the_details_hold_everything_and_can_be_written_as_json(moment: datetime) -> None:
    boot = worker(name="w@h")
    job = make(State.FAILED, worker=boot.id, args={"a": 1}, unique_key="u", tags=["t"], enqueued_by="ada")
    JobLog.objects.create(job=job, run=1, line="half way")
    for number, by in ((2, uuid7()), (1, boot.id)):
        Attempt.objects.create(
            job=job,
            number=number,
            worker=by,
            due_at=moment,
            started_at=moment,
            finished_at=moment + 1.5 * SECOND,
            outcome="failed",
            error_class="ValueError",
            message="no",
            traceback="Traceback…",
        )
    found = json.loads(json.dumps(details(job)))
    assert [a["number"] for a in found["attempts"]] == [1, 2]
    assert found["attempts"][0]["worker"] == "w@h"
    assert found["attempts"][0]["seconds"] == 1.5
    assert found["attempts"][1]["worker"] == str(job.attempts.get(number=2).worker), "of a worker that is forgotten"
    assert found["log"][0]["line"] == "half way"
    assert (found["worker"], found["args"], found["unique_key"], found["tags"]) == ("w@h", {"a": 1}, "u", ["t"])
    assert found["summary"] == "zoo.perform"
