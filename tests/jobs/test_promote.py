"""A delayed job may be let go at once, by hand."""

from __future__ import annotations

import logging

import pytest

from jobs import control, lifecycle
from jobs.database import now
from jobs.ids import uuid7
from jobs.lifecycle import CannotMove
from jobs.models import Attempt
from jobs.states import State
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, bells, fresh, make, taken

pytestmark = pytest.mark.django_db


def test_a_promoted_job_is_due_now_and_keeps_its_counters() -> None:
    job = make(State.DELAYED, available_at=now() + HOUR, queue="email", runs=2, failures=2, rings=4, error="no")
    assert lifecycle.promote_one(job.id) == "email"
    row = fresh(job)
    assert (row.state, row.runs, row.failures, row.rings, row.published_at) == ("waiting", 2, 2, 0, None)
    assert row.available_at <= now()
    assert row.error == "no"
    assert taken(row).run == 3


def test_a_job_that_is_overdue_keeps_its_place() -> None:
    due = now() - HOUR
    job = make(State.DELAYED, available_at=due)
    lifecycle.promote_one(job.id)
    assert fresh(job).available_at == due


@pytest.mark.parametrize("state", [s for s in State if s is not State.DELAYED])
def test_anything_else_cannot_be_promoted_and_the_refusal_says_why(state: State) -> None:
    job = make(state)
    with pytest.raises(CannotMove, match=rf"{job.id} is {state}: only a delayed job can be promoted"):
        control.promote(job.id)
    assert fresh(job).state == state


def test_a_job_that_left_cannot_be_promoted() -> None:
    with pytest.raises(CannotMove, match="is not there"):
        control.promote(uuid7())


def attempt(number: int, outcome: str, **fields: object) -> None:
    moment = now()
    Attempt.objects.create(
        number=number, outcome=outcome, due_at=moment, started_at=moment, finished_at=moment, **fields
    )


def test_a_doubt_is_not_sent_again_before_its_time() -> None:
    job = make(State.DELAYED, available_at=now() + HOUR, runs=1)
    attempt(1, "unknown", job=job)
    with pytest.raises(CannotMove, match="in doubt"):
        control.promote(job.id)
    assert fresh(job).state == "delayed"


def test_a_back_off_after_a_doubt_is_a_back_off() -> None:
    job = make(State.DELAYED, available_at=now() + HOUR, runs=2)
    attempt(1, "unknown", job=job)
    attempt(2, "failed", job=job)
    control.promote(job.id)
    assert fresh(job).state == "waiting"


@COMMITTED
def test_it_is_rung_when_that_commits_and_the_log_names_who(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    job = make(State.DELAYED, available_at=now() + HOUR)
    with caplog.at_level(logging.INFO, logger="jobs"):
        control.promote(job.id, by="ada")
    assert broker.task_ids() == bells(job)
    assert f"promoted by hand job={job.id} by=ada" in caplog.text
