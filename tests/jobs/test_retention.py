"""How finished rows leave: neither among the newest of their kind, nor young."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from jobs import retention
from jobs.database import now
from jobs.ids import uuid7
from jobs.models import Attempt, Job, JobLog, UniqueClaim, Worker
from jobs.retention import kinds_with_finished, remove_batch, remove_leftovers
from jobs.states import FINISHED, State
from tests.jobs.conftest import Play
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, LONG_AGO, make, worker

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _keeping(settings: Any) -> None:
    settings.JOBS_KEEP_COMPLETED, settings.JOBS_KEEP_COMPLETED_FOR = 2, 7 * DAY
    settings.JOBS_KEEP_FAILED, settings.JOBS_KEEP_FAILED_FOR = 3, 30 * DAY


@pytest.fixture
def moment() -> datetime:
    return now()


def finished(*ages: timedelta, moment: datetime, state: State = State.COMPLETED, kind: str = "zoo.mail") -> list[Job]:
    return [make(state, kind=kind, finished_at=moment - age) for age in ages]


def left() -> set[Any]:
    return set(Job.objects.values_list("id", flat=True))


def test_what_is_old_and_not_among_the_newest_leaves(moment: datetime) -> None:
    rows = finished(*(n * DAY for n in range(8, 13)), moment=moment)
    assert remove_batch("zoo.mail", State.COMPLETED, moment) == 3
    assert left() == {job.id for job in rows[:2]}


def test_the_newest_stay_however_old_they_are(moment: datetime) -> None:
    finished(100 * DAY, 200 * DAY, moment=moment)
    assert remove_batch("zoo.mail", State.COMPLETED, moment) == 0
    finished(99 * DAY, moment=moment)
    assert remove_batch("zoo.mail", State.COMPLETED, moment) == 1


def test_the_young_stay_however_many_they_are(moment: datetime) -> None:
    finished(*(n * HOUR for n in range(20)), moment=moment)
    assert remove_batch("zoo.mail", State.COMPLETED, moment) == 0


def test_the_age_is_counted_to_the_microsecond(moment: datetime) -> None:
    finished(HOUR, 2 * HOUR, moment=moment)
    old, _ = finished(7 * DAY + MICROSECOND, 7 * DAY, moment=moment)
    assert remove_batch("zoo.mail", State.COMPLETED, moment) == 1
    assert old.id not in left()


def test_of_rows_that_finished_at_the_same_moment_the_count_is_kept(moment: datetime) -> None:
    finished(*[8 * DAY] * 5, moment=moment)
    assert remove_batch("zoo.mail", State.COMPLETED, moment) == 3
    assert len(left()) == 2


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_what_failed_has_a_keeping_of_its_own(moment: datetime, state: State) -> None:
    rows = finished(*(n * DAY for n in (8, 29, 31, 32, 33, 34)), moment=moment, state=state)
    assert remove_batch("zoo.mail", state, moment) == 3
    assert left() == {job.id for job in rows[:3]}


def test_each_kind_and_state_is_counted_for_itself(moment: datetime) -> None:
    finished(*[8 * DAY] * 2, moment=moment, kind="zoo.mail")
    finished(*[8 * DAY] * 2, moment=moment, kind="zoo.typed")
    finished(*[99 * DAY] * 3, moment=moment, state=State.FAILED)
    for kind in kinds_with_finished():
        for state in FINISHED:
            assert remove_batch(kind, state, moment) == 0


@pytest.mark.parametrize("state", [s for s in State if s not in FINISHED])
def test_what_is_not_finished_never_leaves(moment: datetime, state: State, settings: Any) -> None:
    settings.JOBS_KEEP_COMPLETED = settings.JOBS_KEEP_FAILED = 0
    make(state, kind="zoo.mail", created_at=LONG_AGO, available_at=LONG_AGO)
    for finish in FINISHED:
        assert remove_batch("zoo.mail", finish, moment + 1000 * DAY) == 0


def test_to_keep_none_by_count_leaves_the_age(moment: datetime, settings: Any) -> None:
    settings.JOBS_KEEP_COMPLETED = 0
    finished(HOUR, 8 * DAY, moment=moment)
    assert remove_batch("zoo.mail", State.COMPLETED, moment) == 1


def test_attempts_and_log_lines_leave_with_their_job(moment: datetime) -> None:
    _, _, old = finished(HOUR, HOUR, 8 * DAY, moment=moment)
    for job in Job.objects.all():
        JobLog.objects.create(job=job, run=1, line="x")
        Attempt.objects.create(
            job=job, number=1, due_at=moment, started_at=moment, finished_at=moment, outcome="completed"
        )
    assert remove_batch("zoo.mail", State.COMPLETED, moment) == 1
    assert (Attempt.objects.count(), JobLog.objects.count()) == (2, 2)
    assert not Attempt.objects.filter(job_id=old.id).exists()


def test_it_goes_in_batches_from_the_oldest(moment: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    rows = finished(*(n * DAY for n in range(8, 13)), moment=moment)
    assert remove_batch("zoo.mail", State.COMPLETED, moment) == 2
    assert left() == {job.id for job in rows[:3]}
    assert remove_batch("zoo.mail", State.COMPLETED, moment) == 1
    assert remove_batch("zoo.mail", State.COMPLETED, moment) == 0


def test_the_kinds_are_those_with_finished_rows(moment: datetime) -> None:
    assert kinds_with_finished() == []
    make(kind="zoo.perform")
    finished(HOUR, HOUR, moment=moment, kind="b")
    finished(HOUR, moment=moment, kind="a", state=State.FAILED)
    finished(HOUR, moment=moment, kind="c", state=State.CANCELLED)
    assert kinds_with_finished() == ["a", "b", "c"]


def test_unique_keys_leave_when_their_period_is_over_and_workers_a_month_later(moment: datetime) -> None:
    UniqueClaim.objects.create(key="over", job_id=uuid7(), until=moment)
    UniqueClaim.objects.create(key="holds", job_id=uuid7(), until=moment + MICROSECOND)
    worker(name="gone", seen_at=moment - 30 * DAY - MICROSECOND)
    worker(name="missed", seen_at=moment - 30 * DAY)
    remove_leftovers(moment)
    assert [claim.key for claim in UniqueClaim.objects.all()] == ["holds"]
    assert [w.name for w in Worker.objects.all()] == ["missed"]


@COMMITTED
def test_the_job_that_does_it_says_how_many_left(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    moment = now()
    finished(*(n * DAY for n in range(8, 13)), moment=moment)
    finished(*(n * DAY for n in range(31, 36)), moment=moment, state=State.CANCELLED)
    job = play(lambda _: None, make(kind="jobs.retention"))
    assert (job.state, job.result) == ("completed", {"removed": 5})
    assert Job.objects.exclude(pk=job.pk).count() == 5
