"""Doorbells that were lost, or that there was no room for, are rung; and only those."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction

from jobs import broker as broker_reads
from jobs import doorbell, lifecycle, queues
from jobs.database import now
from jobs.doorbell import Bell, ring
from jobs.ids import uuid7
from jobs.maintenance import pulse
from jobs.maintenance.relay import known_kinds, relay_once, ring_jobs, ring_queue
from jobs.models import Job, Keeper, QueueControl
from jobs.states import State
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, SECOND, elsewhere, fresh, make, together, worker
from tests.jobs.zoo import perform

pytestmark = COMMITTED


@pytest.fixture
def known(broker: Broker) -> Broker:
    """A broker that the keeper has seen before."""
    pulse.begin(now())
    pulse.note_epoch(broker_reads.mark(), now=now() - 24 * HOUR)
    return broker


def relay(moment: datetime | None = None) -> bool:
    moment = moment or now()
    row = Keeper.objects.get()
    return relay_once(moment, pulse.Pulse(reap_after=moment, epoch=row.epoch, epoch_at=row.epoch_at))


def ids(*jobs: Job, number: int = 1) -> list[str]:
    return [f"{job.id}.{number}" for job in jobs]


def test_a_job_that_nobody_rang_is_rung_once(known: Broker) -> None:
    job = make()
    relay()
    relay()
    assert known.task_ids() == ids(job)
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
    assert known.task_ids() == ids(urgent, first, second, last)


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
    assert known.task_ids("email") == ids(mail)


def test_a_busy_key_is_left_alone(known: Broker) -> None:
    make(State.ACTIVE, concurrency_key="k")
    make(concurrency_key="k")
    free = make(concurrency_key="other")
    relay()
    assert known.task_ids() == ids(free)


def test_of_a_free_key_only_the_head_is_rung(known: Broker) -> None:
    moment = now()
    make(concurrency_key="k", available_at=moment)
    head = make(concurrency_key="k", available_at=moment - SECOND)
    relay()
    assert known.task_ids() == ids(head)


def test_a_kind_that_no_living_worker_knows_waits(known: Broker) -> None:
    worker(kinds=["zoo.perform"])
    make(kind="zoo.unheard_of")
    heard = make()
    relay()
    assert known.task_ids() == ids(heard)


def test_while_no_worker_lives_every_kind_is_rung(known: Broker) -> None:
    moment = now()
    worker(seen_at=moment - HOUR)
    worker(stopped_at=moment)
    worker(queues=["email"])
    job = make(kind="zoo.unheard_of")
    relay()
    assert known.task_ids() == ids(job)


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
        assert known.task_ids() == ids(job, number=rings + 1)
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


# ---------------------------------------------------------------- a broker that forgot
def test_after_a_flush_everything_is_rung_again_and_once(known: Broker) -> None:
    handles = [perform.delay() for _ in range(3)]
    relay()
    assert len(known.messages()) == 3
    known.empty()
    relay()
    relay()
    assert known.task_ids() == [f"{h.id}.2" for h in handles]


def test_after_a_restart_of_the_broker_everything_is_rung_again(known: Broker) -> None:
    before = broker_reads.mark()
    handle = perform.delay()
    known.server.restart()
    _next_connection()
    assert broker_reads.mark() != before
    relay()
    assert f"{handle.id}.2" in known.task_ids()


def _next_connection() -> None:
    from tests.jobs.conftest import forget_broker

    forget_broker()


def test_the_mark_stays_while_nothing_happens(broker: Broker) -> None:
    assert broker_reads.mark() == broker_reads.mark()


def test_what_was_rung_before_a_queue_was_woken_counts_as_unrung(known: Broker) -> None:
    job = make(published_at=now(), rings=1, dispatch_no=1)
    later = make(queue="email", published_at=now(), rings=1, dispatch_no=1)
    queues.wake("general")
    relay()
    assert known.task_ids() == ids(job, number=2)
    assert known.messages("email") == []
    assert fresh(later).dispatch_no == 1
    relay()
    assert len(known.messages()) == 1


def test_a_broker_that_is_away_costs_nothing_and_marks_nothing(known: Broker) -> None:
    job = make()
    known.server.kill()
    assert relay() is False
    assert doorbell.breaker.open
    began = time.monotonic()
    assert relay() is False
    assert time.monotonic() - began < 0.1
    assert (fresh(job).published_at, fresh(job).dispatch_no) == (None, 0)


def test_doorbells_that_did_not_get_through_are_given_back(known: Broker) -> None:
    job = make()
    known.server.kill()
    assert ring_jobs([job.id], queues=["general"]) == 1
    assert (fresh(job).published_at, fresh(job).dispatch_no) == (None, 1)


# ---------------------------------------------------------------- one more than needed, never two at once
def test_two_keepers_ring_no_row_twice(known: Broker) -> None:
    for _ in range(40):
        make()
    moment = now()
    together(lambda: relay(moment), threads=2)
    rung = known.task_ids()
    assert len(rung) == len(set(rung)) == 40
    assert set(Job.objects.values_list("dispatch_no", flat=True)) == {1}


def test_a_row_that_somebody_holds_is_left_to_the_next_look(known: Broker) -> None:
    held, free = make(), make()
    with transaction.atomic():
        Job.objects.select_for_update().get(pk=held.pk)
        elsewhere(relay).result(10)
    assert known.task_ids() == ids(free)


def test_particular_jobs_are_rung_as_far_as_a_claim_would_take_them(known: Broker) -> None:
    queues.pause("email", reason="test")
    waiting, delayed, paused = make(), make(State.DELAYED), make(queue="email")
    assert ring_jobs([waiting.id, delayed.id, paused.id, uuid7()], queues=["general", "email"]) == 1
    assert known.task_ids() == ids(waiting)
    assert ring_jobs([], queues=[]) == 0


def test_the_head_of_a_queue_is_rung_at_once_when_it_is_resumed(known: Broker) -> None:
    job = make(published_at=now(), rings=1, dispatch_no=1)
    queues.pause("general", reason="test")
    assert queues.resume("general")
    assert known.task_ids() == ids(job, number=2)
    assert QueueControl.objects.get().queue == "general"


def test_ringing_a_queue_whose_broker_is_away_is_no_error(known: Broker) -> None:
    make()
    known.server.kill()
    ring_queue("general")
    ring_queue("general")
    assert Job.objects.get().published_at is None


def test_a_claimed_job_needs_no_doorbell(known: Broker) -> None:
    assert lifecycle.reserve_jobs(queue="general", ids=[make(State.ACTIVE).id]) == []
