"""`manage.py jobs tail`: a line per event, found without reading the whole table."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from jobs import control, lifecycle
from jobs.cli import feed as feeding
from jobs.cli import tail
from jobs.cli.feed import Feed
from jobs.database import now, rows
from jobs.models import Attempt, Job, JobLog
from jobs.selectors import Filter
from jobs.states import State
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, LONG_AGO, make, taken, verdict
from tests.jobs.shell import Answer, on_a_terminal

pytestmark = COMMITTED


def words(feed: Feed) -> list[str]:
    """The events of a look."""
    return [event.event for event in feed.look()]


# ---------------------------------------------------------------- what is seen
def test_the_life_of_a_job_is_told_in_order_and_once() -> None:
    feed = Feed(Filter())
    job = make()
    assert words(feed) == ["enqueued"]
    claim = taken(job)
    JobLog.objects.create(job=job, run=1, line="half way")
    assert words(feed) == ["started", "log"]
    lifecycle.finish(claim, verdict(State.COMPLETED))
    (event,) = feed.look()
    assert (event.event, event.state, event.job.id) == ("completed", "completed", job.id)
    assert event.detail.startswith("run 1, 0.")
    assert words(feed) == []


def test_a_run_that_was_too_quick_to_be_seen_is_told_at_its_end() -> None:
    feed = Feed(Filter())
    lifecycle.finish(taken(make()), verdict(State.FAILED, error="no", error_class="ValueError"))
    first, second = feed.look()
    assert (first.event, second.event) == ("enqueued", "failed")
    assert second.detail.endswith("ValueError: no")


def test_a_delayed_job_that_becomes_due_waits(broker: Broker) -> None:
    feed = Feed(Filter())
    due, by_hand = make(State.DELAYED, available_at=now()), make(State.DELAYED, available_at=now() + HOUR)
    assert words(feed) == ["enqueued", "enqueued"]
    lifecycle.promote(now=now(), limit=9)
    control.promote(by_hand.id)
    assert [(event.event, event.job.id) for event in feed.look()] == [("waiting", due.id), ("waiting", by_hand.id)]
    assert words(feed) == []


def test_cancel_and_retry_by_hand_are_told(broker: Broker) -> None:
    job = make(kind="zoo.mail")
    feed = Feed(Filter())
    feed.look()
    control.cancel(job.id, reason="wrong number")
    (event,) = feed.look()
    assert (event.event, event.detail) == ("cancelled", "wrong number")
    control.retry(job.id)
    assert words(feed) == ["waiting"]


def test_a_run_that_was_cancelled_is_told_once() -> None:
    feed = Feed(Filter())
    lifecycle.finish(taken(make()), verdict(State.CANCELLED))
    assert words(feed) == ["enqueued", "cancelled"]
    assert words(feed) == []


def test_only_matching_jobs_are_told() -> None:
    feed = Feed(Filter(queue="email", subject="escrow:1"))
    make(queue="email")
    job = make(queue="email", subject="escrow:1")
    make(subject="escrow:1")
    JobLog.objects.create(job=job, run=1, line="x")
    lifecycle.finish(taken(job), verdict(State.COMPLETED))
    assert {event.job.id for event in feed.look()} == {job.id}


def test_a_row_whose_transaction_ended_late_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    early, late = sorted([uuid.UUID(int=2**100), uuid.UUID(int=2**101)])
    feed = Feed(Filter())
    make(id=late)
    assert words(feed) == ["enqueued"]
    make(id=early)
    assert words(feed) == ["enqueued"]
    monkeypatch.setattr(feeding, "LOOKBACK", -1.0)  # everything is long ago from here on
    assert words(feed) == []
    make(id=uuid.UUID(int=2**99))
    assert [event.job.id for event in feed.look() if event.event == "enqueued"] == []


# ---------------------------------------------------------------- what it costs
def test_no_look_reads_a_whole_table() -> None:
    rows(
        "INSERT INTO jobs_job (id, kind, queue, priority, args, state, runs, failures, crashes, max_attempts,"
        " available_at, finished_at, dispatch_no, rings, subject, tags, options, enqueued_by, trace, error,"
        " cancel_requested) SELECT gen_random_uuid(), 'zoo.perform', 'general', 5, '{}', s.state, 1, 0, 0, 3,"
        " %s, CASE WHEN s.state IN ('waiting', 'delayed') THEN NULL ELSE %s::timestamptz END, 0, 0, '', '{}', '{}', '',"
        " '', '', false FROM generate_series(1, 7500) n, unnest(ARRAY['completed', 'waiting', 'cancelled', 'delayed'])"
        " AS s(state)",
        [LONG_AGO, LONG_AGO],
    )
    rows(
        "INSERT INTO jobs_attempt (job_id, number, due_at, started_at, finished_at, outcome, error_class, message,"
        " traceback) SELECT id, 1, now(), now(), now(), 'completed', '', '', '' FROM jobs_job"
    )
    rows("ANALYZE jobs_job, jobs_attempt, jobs_joblog")
    feed = Feed(Filter(queue="general"))
    feed.look()
    assert read_by(feed.look) == 0
    assert read_by(lambda: Feed(Filter(subject="escrow:1")).look()) == 0
    assert read_by(lambda: rows("SELECT count(error) FROM jobs_job")) == 30_000  # which is how it would look else


def read_by(act: Callable[[], object]) -> int:
    """Rows that PostgreSQL read from the jobs' tables by scanning them."""
    rows("SELECT pg_stat_force_next_flush()")
    before = _scanned()
    act()
    rows("SELECT pg_stat_force_next_flush()")
    return _scanned() - before


def _scanned() -> int:
    names = ["jobs_job", "jobs_attempt", "jobs_joblog"]
    return int(rows("SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname = ANY(%s)", [names])[0][0])


# ---------------------------------------------------------------- the command
def test_a_pipe_gets_the_latest_events_and_an_end() -> None:
    jobs = [make(subject=f"n:{n}") for n in range(5)]
    said = Answer("tail", "--lines", "2")
    assert said.code == 0
    assert [line.split()[2] for line in said.out.splitlines()] == [str(job.id) for job in jobs[-2:]]
    assert Answer("tail", "--lines", "0").out == ""


def test_json_is_a_document_a_line() -> None:
    job = make(subject="escrow:1")
    lifecycle.finish(taken(job), verdict(State.COMPLETED))
    found = Answer("tail", "--json", "--subject", "escrow:1").json_lines
    assert [event["event"] for event in found] == ["enqueued", "completed"]
    assert {event["id"] for event in found} == {str(job.id)}


def test_following_goes_on_until_ctrl_c_which_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            raise KeyboardInterrupt
        make(subject=f"look:{len(looks)}")

    monkeypatch.setattr(tail, "sleep", sleep)
    said = Answer("tail", "--follow")
    assert said.code == 0
    assert [line.split()[-1] for line in said.out.splitlines()] == ["look:1", "look:2"]


def test_a_terminal_is_followed_and_shows_icons(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tail, "sleep", interrupt)
    make()
    said = on_a_terminal("tail")
    assert "○" in said.out
    assert "\x1b[" not in on_a_terminal("tail", "--once", "--json").out


def test_what_a_job_says_cannot_steer_the_readers_terminal() -> None:
    job = make(subject="\x1b]0;owned\x07")
    JobLog.objects.create(job=job, run=1, line="\x1b[2J wiped")
    for said in (Answer("tail"), Answer("list"), Answer("show", str(job.id)), on_a_terminal("list")):
        assert "\x1b]0" not in said.out
        assert "\x1b[2J" not in said.out


def test_there_may_be_nothing_to_tell() -> None:
    assert (Answer("tail").out, Job.objects.count(), Attempt.objects.count()) == ("", 0, 0)
