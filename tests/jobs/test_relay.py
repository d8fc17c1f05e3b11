"""Doorbells that were lost, or that there was no room for, are rung; and only those."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import broker as broker_reads
from jobs import queues
from jobs.database import now
from jobs.doorbell import Bell, ring
from jobs.ids import uuid7
from jobs.maintenance import pulse
from jobs.maintenance.relay import known_kinds
from jobs.models import Job
from jobs.states import State
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, SECOND, bells, fresh, make, relay, worker

pytestmark = COMMITTED


def test_a_job_that_nobody_rang_is_rung_once(known: Broker) -> None:
    job = make()
    relay()
    relay()
    assert known.task_ids() == bells(job)
    row = fresh(job)
    assert (row.dispatch_no, row.rings) == (1, 1)
    assert row.published_at is not None


def test_the_line_is_kept(known: Broker) -> None:
    moment = now()
    last = make(available_at=moment)
    second = make(available_at=moment - 2 * SECOND)
    first = make(available_at=moment - HOUR)
    urgent = make(available_at=moment, priority=0)
    relay()
    assert known.task_ids() == bells(urgent, first, second, last)


@pytest.mark.parametrize("state", [s for s in State if s is not State.WAITING])
def test_only_waiting_jobs_are_rung(known: Broker, state: State) -> None:
    make(state)
    relay()
    assert known.messages() == []


def test_a_paused_queue_is_left_alone_and_others_are_not(known: Broker) -> None:
    make()
    mail = make(queue="email")
    queues.pause("general", reason="test")
    relay()
    assert known.messages() == []
    assert known.task_ids("email") == bells(mail)


def test_a_busy_key_is_left_alone(known: Broker) -> None:
    make(State.ACTIVE, concurrency_key="k")
    make(concurrency_key="k")
    free = make(concurrency_key="other")
    relay()
    assert known.task_ids() == bells(free)


def test_of_a_free_key_only_the_head_is_rung(known: Broker) -> None:
    moment = now()
    make(concurrency_key="k", available_at=moment)
    head = make(concurrency_key="k", available_at=moment - SECOND)
    relay()
    assert known.task_ids() == bells(head)


def test_a_head_that_stands_in_a_paused_queue_does_not_hold_up_its_key_elsewhere(known: Broker) -> None:
    moment = now()
    make(queue="email", concurrency_key="k", available_at=moment - SECOND)
    behind = make(concurrency_key="k", available_at=moment)
    queues.pause("email", reason="test")
    relay()
    assert known.task_ids() == bells(behind)


def test_a_kind_that_no_living_worker_knows_waits(known: Broker) -> None:
    worker(kinds=["zoo.perform"])
    make(kind="zoo.unheard_of")
    heard = make()
    relay()
    assert known.task_ids() == bells(heard)


def test_while_no_worker_lives_every_kind_is_rung(known: Broker) -> None:
    moment = now()
    worker(seen_at=moment - HOUR)
    worker(stopped_at=moment)
    worker(queues=["email"])
    job = make(kind="zoo.unheard_of")
    relay()
    assert known.task_ids() == bells(job)


def test_known_kinds_are_those_of_living_workers_per_queue() -> None:
    worker(queues=["general", "email"], kinds=["a", "b"])
    worker(queues=["general"], kinds=["c"])
    found = {queue: sorted(kinds) for queue, kinds in known_kinds(now()).items()}
    assert found == {"general": ["a", "b", "c"], "email": ["a", "b"]}


# ---------------------------------------------------------------- the window
def test_a_ring_fills_the_window_and_says_so(known: Broker, settings: Any) -> None:
    settings.JOBS_WINDOW = 4
    for _ in range(6):
        make()
    assert relay() is True
    assert (len(known.messages()), Job.objects.filter(published_at=None).count()) == (4, 2)


def test_a_window_that_is_half_full_is_left_alone(known: Broker, settings: Any) -> None:
    settings.JOBS_WINDOW = 4
    for _ in range(8):
        make()
    relay()
    known.client().rpop(_key())
    known.client().rpop(_key())
    assert relay() is False
    assert len(known.messages()) == 2
    known.client().rpop(_key())
    assert relay() is True
    assert len(known.messages()) == 4


def _key() -> str:
    from contralock.celery import app

    name: str = app.connection_for_write().default_channel._q_for_pri("general", 5)
    return name


def test_messages_of_every_priority_count(known: Broker) -> None:
    ring([Bell(job_id=uuid7(), dispatch_no=1, kind="x", queue="general", priority=p) for p in range(10)])
    assert broker_reads.depths(["general", "email"]) == {"general": 10, "email": 0}
    assert broker_reads.depths([]) == {}


def test_a_ring_that_found_less_than_the_window_is_not_full(known: Broker) -> None:
    make()
    assert relay() is False


# ---------------------------------------------------------------- silence
def test_a_silent_doorbell_is_rung_again_after_ever_longer_pauses(known: Broker, settings: Any) -> None:
    settings.JOBS_RERING = (3.0, 15.0, 300.0)
    rung = now()
    job = make(published_at=rung, rings=1, dispatch_no=1)
    for rings, pause in ((1, 3), (2, 6), (3, 12), (4, 24), (8, 300), (20, 300), (1000, 300)):
        known.empty()
        _keep_epoch()
        Job.objects.filter(pk=job.pk).update(published_at=rung, rings=rings, dispatch_no=rings)
        relay(rung + (pause - 0.001) * SECOND)
        assert known.messages() == [], f"after {rings} rings it is too early"
        relay(rung + (pause + 0.001) * SECOND)
        assert known.task_ids() == bells(job, number=rings + 1)
        assert fresh(job).rings == min(rings + 1, 1000)


def _keep_epoch() -> None:
    pulse.note_epoch(broker_reads.mark(), now=now() - 24 * HOUR)


def test_while_messages_lie_there_a_silent_doorbell_has_more_time(known: Broker, settings: Any) -> None:
    settings.JOBS_RERING = (3.0, 15.0, 300.0)
    ring([Bell(job_id=uuid7(), dispatch_no=1, kind="x", queue="general", priority=5)])
    rung = now()
    make(published_at=rung, rings=1)
    relay(rung + 14.9 * SECOND)
    assert len(known.messages()) == 1
    relay(rung + 15.1 * SECOND)
    assert len(known.messages()) == 2
