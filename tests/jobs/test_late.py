"""What has waited its turn before does not queue behind a window full of younger jobs."""

from __future__ import annotations

from jobs import lifecycle
from jobs.database import now
from jobs.maintenance.reap import reap_once
from jobs.models import QueueControl, Worker
from jobs.states import State
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, SECOND, bells, fresh, make, relay, worker

pytestmark = COMMITTED


def test_a_job_whose_worker_was_lost_is_rung_ahead_of_its_own_priority(known: Broker) -> None:
    lost = make(State.ACTIVE, priority=5, lease_until=now() - SECOND, worker_pid=1)
    reap_once(now(), not_before=now() - HOUR)
    assert fresh(lost).state == State.WAITING
    assert known.task_ids(priority=4) == bells(lost)


def test_a_doorbell_that_was_lost_is_rung_ahead_of_its_own_priority(known: Broker) -> None:
    silent = make(priority=5, published_at=now() - HOUR, dispatch_no=1, rings=1)
    young = make(priority=5)
    relay()
    assert known.task_ids(priority=4) == bells(silent, number=2)
    assert known.task_ids(priority=5) == bells(young)


def test_nothing_goes_ahead_of_the_first_priority(known: Broker) -> None:
    lost = make(State.ACTIVE, priority=0, lease_until=now() - SECOND, worker_pid=1)
    reap_once(now(), not_before=now() - HOUR)
    assert known.task_ids(priority=0) == bells(lost)


def test_a_retry_that_failed_by_itself_keeps_its_place(known: Broker) -> None:
    job = make(State.DELAYED, failures=1, runs=1, available_at=now() - SECOND)
    lifecycle.promote(now=now(), limit=10)
    relay()
    assert known.task_ids(priority=5) == bells(job)


def test_what_a_dead_worker_had_taken_and_not_started_is_rung_in_the_same_tick(known: Broker) -> None:
    dead = worker(queues=["general", "email"])
    Worker.objects.filter(pk=dead.pk).update(seen_at=now() - HOUR)
    prefetched = make(published_at=now(), dispatch_no=1, rings=1)
    relay()
    assert known.task_ids(priority=4) == []
    reap_once(now(), not_before=now() - HOUR)
    assert Worker.objects.get(pk=dead.pk).stopped_at is not None
    assert set(QueueControl.objects.values_list("queue", flat=True)) == {"general", "email"}
    relay()
    assert known.task_ids(priority=4) == bells(prefetched, number=2)


def test_a_living_worker_is_not_buried(known: Broker) -> None:
    living = worker()
    reap_once(now(), not_before=now() - HOUR)
    assert Worker.objects.get(pk=living.pk).stopped_at is None


def test_nobody_is_buried_after_a_gap(known: Broker) -> None:
    silent = worker()
    Worker.objects.filter(pk=silent.pk).update(seen_at=now() - HOUR)
    reap_once(now(), not_before=now() + HOUR)
    assert Worker.objects.get(pk=silent.pk).stopped_at is None
