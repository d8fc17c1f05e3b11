"""Keys that make jobs exclude each other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from jobs import lifecycle, queues
from jobs.database import now
from jobs.enqueue import JobHandle
from jobs.models import UNFINISHED_STATES, Job, UniqueClaim
from jobs.states import FINISHED, State
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import LONG_AGO, elsewhere, fresh, make, together, wait_until_blocked
from tests.jobs.zoo import mail, perform

pytestmark = COMMITTED


def once(key: str = "k") -> JobHandle:
    return perform.apply_async(unique_key=key)


def test_who_comes_second_gets_the_first_ones_job(broker: Broker) -> None:
    first, second = once(), once()
    assert (first.created, second.created, second.id) == (True, False, first.id)
    assert broker.task_ids() == [f"{first.id}.1"]
    assert once("other").created


def test_a_key_counts_over_kinds(broker: Broker) -> None:
    first = once()
    assert mail.apply_async(kwargs={"number": 1}, unique_key="k").id == first.id


@pytest.mark.parametrize("state", UNFINISHED_STATES)
def test_an_unfinished_job_holds_its_key(broker: Broker, state: str) -> None:
    job = make(state, unique_key="k")
    assert once() == JobHandle(job.id, created=False)


@pytest.mark.parametrize("state", sorted(FINISHED))
def test_a_finished_job_frees_its_key(broker: Broker, state: State) -> None:
    job = make(state, unique_key="k")
    assert once().id != job.id


def test_twice_in_one_transaction_is_once(broker: Broker) -> None:
    with transaction.atomic():
        first, second = once(), once()
    assert second.id == first.id
    assert len(broker.messages()) == 1


def test_a_rolled_back_holder_frees_its_key(broker: Broker) -> None:
    with transaction.atomic():
        once()
        transaction.set_rollback(True)
    assert once().created


def test_callers_racing_for_one_key_make_one_job(broker: Broker) -> None:
    handles = together(once, threads=4)
    assert len({handle.id for handle in handles}) == 1
    assert sorted(handle.created for handle in handles) == [False, False, False, True]
    assert Job.objects.count() == 1


def test_a_caller_waits_for_the_transaction_that_holds_the_key(broker: Broker) -> None:
    with transaction.atomic():
        first = once()
        other = elsewhere(once)
        wait_until_blocked()
    assert other.result(10) == JobHandle(first.id, created=False)


def test_the_table_itself_refuses_two_unfinished_jobs_of_one_key() -> None:
    make(unique_key="k")
    with pytest.raises(IntegrityError):
        make(State.DELAYED, unique_key="k")


# ---------------------------------------------------------------- for a period
def test_a_key_for_a_period_outlives_its_job(broker: Broker) -> None:
    first = perform.apply_async(unique_key="k", unique_for=3600)
    row = fresh(first.id)
    assert row.unique_key is None
    assert row.options["unique_for"] == 3600
    Job.objects.all().delete()
    second = perform.apply_async(unique_key="k", unique_for=3600)
    assert second == JobHandle(first.id, created=False)
    assert Job.objects.count() == 0


def test_after_the_period_the_key_is_free_again(broker: Broker) -> None:
    first = perform.apply_async(unique_key="k", unique_for=3600)
    UniqueClaim.objects.update(until=LONG_AGO)
    second = perform.apply_async(unique_key="k", unique_for=3600)
    assert second.created
    claim = UniqueClaim.objects.get()
    assert claim.job_id == second.id != first.id
    assert timedelta(seconds=3590) < claim.until - now() <= timedelta(seconds=3600)


def test_a_rollback_gives_the_period_back(broker: Broker) -> None:
    with transaction.atomic():
        perform.apply_async(unique_key="k", unique_for=3600)
        transaction.set_rollback(True)
    assert perform.apply_async(unique_key="k", unique_for=3600).created


def test_callers_racing_for_a_period_make_one_job(broker: Broker) -> None:
    handles = together(lambda: perform.apply_async(unique_key="k", unique_for=3600), threads=4)
    assert len({handle.id for handle in handles}) == 1
    assert Job.objects.count() == 1


# ---------------------------------------------------------------- with the rest of the engine
def test_a_concurrency_key_admits_any_number_of_waiting_jobs(broker: Broker) -> None:
    for _ in range(3):
        perform.apply_async(concurrency_key="escrow:1")
    assert Job.objects.filter(concurrency_key="escrow:1", state="waiting").count() == 3


def test_enqueuing_goes_on_while_a_queue_is_paused(broker: Broker) -> None:
    queues.pause("general", reason="test")
    assert perform.delay().state == "waiting"


def test_a_cancelled_holder_frees_its_key(broker: Broker) -> None:
    first = once()
    lifecycle.cancel(first.id, reason="test")
    assert once().created
