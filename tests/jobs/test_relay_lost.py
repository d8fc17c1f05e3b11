"""The relay with a broker that forgets or is away, and with rivals."""

from __future__ import annotations

import time

from django.db import transaction

from jobs import broker as broker_reads
from jobs import doorbell, lifecycle, queues
from jobs.database import now
from jobs.ids import uuid7
from jobs.maintenance.relay import ring_jobs, ring_queue, wake
from jobs.models import Job, QueueControl
from jobs.states import State
from tests.jobs.conftest import Broker, forget_broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import bells, elsewhere, fresh, make, relay, together
from tests.jobs.zoo import perform

pytestmark = COMMITTED


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
    forget_broker()
    assert broker_reads.mark() != before
    relay()
    assert f"{handle.id}.2" in known.task_ids()


def test_the_mark_stays_while_nothing_happens(broker: Broker) -> None:
    assert broker_reads.mark() == broker_reads.mark()


def test_what_was_rung_before_a_queue_was_woken_counts_as_unrung(known: Broker) -> None:
    job = make(published_at=now(), rings=1, dispatch_no=1)
    later = make(queue="email", published_at=now(), rings=1, dispatch_no=1)
    wake("general")
    relay()
    assert known.task_ids() == bells(job, number=2)
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
    assert known.task_ids() == bells(free)


def test_particular_jobs_are_rung_as_far_as_a_claim_would_take_them(known: Broker) -> None:
    queues.pause("email", reason="test")
    waiting, delayed, paused = make(), make(State.DELAYED), make(queue="email")
    assert ring_jobs([waiting.id, delayed.id, paused.id, uuid7()], queues=["general", "email"]) == 1
    assert known.task_ids() == bells(waiting)
    assert ring_jobs([], queues=[]) == 0


def test_the_head_of_a_queue_is_rung_at_once_when_it_is_resumed(known: Broker) -> None:
    job = make(published_at=now(), rings=1, dispatch_no=1)
    queues.pause("general", reason="test")
    assert queues.resume("general")
    assert known.task_ids() == bells(job, number=2)
    assert QueueControl.objects.get().queue == "general"


def test_ringing_a_queue_whose_broker_is_away_is_no_error(known: Broker) -> None:
    make()
    known.server.kill()
    ring_queue("general")
    ring_queue("general")
    assert Job.objects.get().published_at is None


def test_a_claimed_job_needs_no_doorbell(known: Broker) -> None:
    assert lifecycle.reserve_jobs(queue="general", ids=[make(State.ACTIVE).id]) == []
