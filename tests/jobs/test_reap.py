"""Jobs whose worker is gone run again, and nobody else's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import transaction

from jobs.database import now
from jobs.maintenance import promote, pulse, reap
from jobs.models import Job, Keeper
from jobs.states import State
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, LONG_AGO, SECOND, elsewhere, fresh, make, together

pytestmark = pytest.mark.django_db

LEASE, TICK = 12, 1
"""Seconds; with these a gap is three seconds."""


@pytest.fixture(autouse=True)
def _times(settings: Any) -> None:
    settings.JOBS_LEASE, settings.JOBS_TICK = LEASE, TICK


def begin(moment: datetime) -> datetime:
    return pulse.begin(moment).reap_after


def test_a_lost_job_waits_and_is_rung_at_once(broker: Broker) -> None:
    moment = now()
    job = make(State.ACTIVE, lease_until=moment - SECOND)
    alive = make(State.ACTIVE, lease_until=moment + SECOND)
    assert reap.reap_once(moment, not_before=moment) == 1
    assert (fresh(job).state, fresh(alive).state) == ("waiting", "active")
    assert broker.task_ids() == [f"{job.id}.1"]


def test_a_job_that_crashed_too_often_is_failed_and_not_rung(broker: Broker, settings: Any) -> None:
    settings.JOBS_CRASH_LIMIT = 3
    job = make(State.ACTIVE, lease_until=LONG_AGO, crashes=2)
    assert reap.reap_once(now(), not_before=LONG_AGO) == 1
    assert fresh(job).state == "failed"
    assert broker.messages() == []


def test_nothing_is_taken_away_before_its_time() -> None:
    moment = now()
    make(State.ACTIVE, lease_until=LONG_AGO)
    assert reap.reap_once(moment, not_before=moment + SECOND / 1000) == 0


@COMMITTED
def test_two_keepers_take_a_job_away_once(broker: Broker) -> None:
    for _ in range(20):
        make(State.ACTIVE, lease_until=LONG_AGO)
    moment = now()
    assert sum(together(lambda: reap.reap_once(moment, not_before=moment))) == 20
    assert set(Job.objects.values_list("crashes", flat=True)) == {1}


@COMMITTED
def test_a_job_that_is_being_finished_is_not_taken_away(broker: Broker) -> None:
    job = make(State.ACTIVE, lease_until=LONG_AGO)
    moment = now()
    with transaction.atomic():
        Job.objects.select_for_update().get(pk=job.pk)
        assert elsewhere(lambda: reap.reap_once(moment, not_before=moment)).result(10) == 0


# ---------------------------------------------------------------- gaps
def test_the_first_tick_ever_may_reap() -> None:
    moment = now()
    assert begin(moment) == moment


def test_steady_ticks_are_no_gap() -> None:
    moment = now()
    first = begin(moment)
    for second in range(1, 10):
        assert begin(moment + second * SECOND) == first
    assert begin(moment + 12 * SECOND) == first, "three ticks late is not yet a gap"


def test_a_gap_grants_one_more_lease() -> None:
    moment = now()
    begin(moment)
    back = moment + 3.001 * SECOND
    assert begin(back) == back + LEASE * SECOND
    assert begin(back + SECOND) == back + LEASE * SECOND, "and one only"


def test_the_gap_is_a_quarter_of_the_lease_but_never_less_than_three_ticks(settings: Any) -> None:
    assert pulse.gap() == 3
    settings.JOBS_LEASE = 120
    assert pulse.gap() == 30
    settings.JOBS_TICK = 15
    assert pulse.gap() == 45


def test_a_second_gap_grants_anew() -> None:
    moment = now()
    begin(moment)
    begin(moment + HOUR)
    assert begin(moment + 2 * HOUR) == moment + 2 * HOUR + LEASE * SECOND


def test_a_slow_tick_is_no_gap() -> None:
    """It marks its end as well; here it began an hour ago."""
    moment = now()
    first = begin(moment - HOUR)
    pulse.end()
    assert begin(now()) == first
    assert abs(Keeper.objects.get().ticked_at - now()) < 5 * SECOND


def test_a_clock_that_jumps_back_grants_one_more_lease() -> None:
    moment = now()
    begin(moment)
    assert begin(moment - HOUR) == moment - HOUR + LEASE * SECOND
    assert begin(moment - HOUR + SECOND) == moment - HOUR + LEASE * SECOND


def test_two_keepers_that_tick_at_the_same_moment_are_no_jump_of_the_clock() -> None:
    """Both wake for the same due row; who read the clock first may write second."""
    moment = now()
    first = begin(moment)
    begin(moment + SECOND)
    assert begin(moment + SECOND - SECOND / 100) == first
    assert begin(moment + 2 * SECOND) == first


def test_after_the_granted_lease_the_lost_job_is_taken(broker: Broker) -> None:
    moment = now()
    make(State.ACTIVE, lease_until=moment)
    begin(moment)
    later = moment + 60 * SECOND
    assert reap.reap_once(later, not_before=begin(later)) == 0
    for second in range(1, LEASE):
        begin(later + second * SECOND)
    end = later + LEASE * SECOND
    assert reap.reap_once(end, not_before=begin(end)) == 1


# ---------------------------------------------------------------- promote
def test_due_jobs_are_promoted_and_late_ones_expired() -> None:
    moment = now()
    due = make(State.DELAYED, available_at=moment)
    late = make(expires_at=moment)
    both = make(State.DELAYED, available_at=moment, expires_at=moment)
    assert promote.promote_once(moment) == 2
    assert promote.expire_once(moment) == 2
    assert [fresh(job).state for job in (due, late, both)] == ["waiting", "cancelled", "cancelled"]


def test_the_next_due_moment_is_that_of_the_next_delayed_job() -> None:
    assert promote.next_due() is None
    moment = now()
    make(available_at=moment - HOUR)
    make(State.DELAYED, available_at=moment + 2 * HOUR)
    make(State.DELAYED, available_at=moment + HOUR)
    assert promote.next_due() == moment + HOUR


@COMMITTED
def test_two_keepers_promote_a_job_once() -> None:
    for _ in range(20):
        make(State.DELAYED, available_at=LONG_AGO)
    moment = now()
    assert sum(together(lambda: promote.promote_once(moment))) == 20
