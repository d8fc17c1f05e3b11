"""How each queue stands, and why nothing runs there."""

from __future__ import annotations

from datetime import datetime

import pytest

from jobs import queues
from jobs.database import now
from jobs.models import Keeper
from jobs.standing import Standing, depths, standings
from jobs.states import State
from tests.jobs.rows import HOUR, SECOND, make, worker

pytestmark = pytest.mark.django_db


def keeper(ticked_at: datetime) -> None:
    Keeper.objects.all().delete()
    Keeper.objects.create(ticked_at=ticked_at, reap_after=ticked_at, epoch_at=ticked_at)


def standing(queue: str = "general") -> Standing:
    return next(found for found in standings(now()) if found.queue == queue)


def test_every_queue_of_the_settings_stands_somewhere() -> None:
    assert [found.queue for found in standings(now())] == ["email", "payment", "invoice", "general"]


def test_unfinished_jobs_are_counted_by_state_and_no_others() -> None:
    for state in State:
        make(state)
    make(queue="a.queue.of.old")
    assert depths()["general"] == {"waiting": 1, "delayed": 1, "active": 1, "unknown": 1}
    assert depths()["email"] == {"waiting": 0, "delayed": 0, "active": 0, "unknown": 0}


def test_the_reasons_are_told_in_order_of_weight() -> None:
    queues.pause("general", reason="server is ill")
    assert standing().why_still == "paused by operator: server is ill"
    queues.resume("general")
    assert standing().why_still == "no living worker serves it"
    make()
    assert standing().why_still == "no living worker serves it, and jobs wait"
    worker(concurrency=3)
    assert "no keeper ticks" in standing().why_still
    keeper(now() - 11 * SECOND)
    assert "no keeper ticks" in standing().why_still
    keeper(now())
    assert standing().why_still.startswith("waits for a free process")
    make(State.ACTIVE)
    assert standing().why_still == "1 of 3 processes busy"


def test_a_queue_with_nothing_to_do_says_so() -> None:
    worker()
    keeper(now())
    assert standing().why_still == "nothing waits"


def test_the_oldest_due_job_is_told_by_its_age() -> None:
    make(available_at=now() - HOUR)
    make(available_at=now() - SECOND)
    found = standing().oldest_due
    assert found is not None
    assert HOUR <= found < HOUR + 60 * SECOND
    assert standing("email").oldest_due is None


def test_a_worker_that_is_gone_does_not_serve() -> None:
    worker(seen_at=now() - HOUR)
    worker(stopped_at=now())
    worker(queues=["email"])
    assert standing().workers == []
    assert standing("email").processes == 1
