"""Ending a run: only by its owner, once, and whatever it returned."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError, transaction

from jobs import database, lifecycle
from jobs.database import now
from jobs.lifecycle import clean, finish, storable
from jobs.models import Attempt
from jobs.outcomes import Outcome
from jobs.states import State
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import LONG_AGO, SECOND, end_backend, fresh, make, take, taken, verdict

pytestmark = pytest.mark.django_db


def test_a_finish_writes_the_state_the_result_and_the_attempt() -> None:
    job = make(available_at=LONG_AGO)
    claim = taken(job)
    assert finish(claim, verdict(State.COMPLETED, result={"sent": [1, "ä"]})) is State.COMPLETED
    row, attempt = fresh(job), Attempt.objects.get(job=job)
    assert (row.state, row.result, row.error, row.lease_until, row.deadline) == (
        "completed",
        {"sent": [1, "ä"]},
        "",
        None,
        None,
    )
    assert row.finished_at is not None
    assert (attempt.number, attempt.outcome, attempt.worker_pid) == (1, "completed", 4711)
    assert (attempt.worker, attempt.due_at, attempt.started_at) == (row.worker, LONG_AGO, row.started_at)


def test_a_failed_attempt_is_counted_and_delayed_by_the_database_clock() -> None:
    job = make(published_at=now(), rings=3)
    claim, before = taken(job), now()
    assert finish(claim, verdict(State.DELAYED, delay=30.0, error="no", error_class="KeyError")) is State.DELAYED
    row = fresh(job)
    assert (row.failures, row.error, row.finished_at, row.published_at, row.rings) == (1, "no", None, None, 0)
    assert 30 <= (row.available_at - before).total_seconds() < 32
    assert Attempt.objects.get(job=job).error_class == "KeyError"


def test_a_late_finisher_writes_nothing() -> None:
    job = make()
    late = taken(job)
    lifecycle.lose_expired(now=now() + 1000 * SECOND, limit=1)
    owner = taken(job)
    assert finish(late, verdict(State.COMPLETED, result="mine")) is None
    row = fresh(job)
    assert (row.state, row.lease_token, row.result) == ("active", owner.token, None)
    assert finish(owner, verdict(State.COMPLETED, result="ours")) is State.COMPLETED
    assert fresh(job).result == "ours"


def test_a_late_finisher_is_told_so_even_before_somebody_else_has_the_job() -> None:
    job = make()
    late = taken(job)
    lifecycle.lose_expired(now=now() + 1000 * SECOND, limit=1)
    assert fresh(job).state == "waiting"
    assert finish(late, verdict(State.COMPLETED)) is None


def test_a_late_finisher_is_told_so_when_the_crash_limit_failed_the_job(settings: Any) -> None:
    settings.JOBS_CRASH_LIMIT = 1
    job = make()
    late = taken(job)
    lifecycle.lose_expired(now=now() + 1000 * SECOND, limit=1)
    assert finish(late, verdict(State.COMPLETED)) is None
    assert fresh(job).state == "failed"


@pytest.mark.parametrize(
    "state", [State.COMPLETED, State.DELAYED, State.WAITING, State.FAILED, State.CANCELLED, State.UNKNOWN]
)
def test_a_repeated_finish_recognises_itself(state: State) -> None:
    claim = taken(make())
    assert finish(claim, verdict(state)) is state
    assert finish(claim, verdict(state)) is state
    assert Attempt.objects.filter(job_id=claim.id).count() == 1


def test_a_finish_with_a_token_that_never_owned_the_job_writes_nothing() -> None:
    job = make()
    owner, other = taken(job), taken(make())
    forged = replace(owner, token=other.token)
    assert finish(forged, verdict(State.COMPLETED)) is None
    assert fresh(job).state == "active"


@pytest.mark.parametrize("state", [State.DELAYED, State.WAITING])
def test_a_requested_cancel_stops_a_run_that_wants_to_go_on(state: State) -> None:
    job = make()
    claim = taken(job)
    assert lifecycle.cancel(job.id, reason="enough") is State.ACTIVE
    assert finish(claim, verdict(state)) is State.CANCELLED
    assert fresh(job).finished_at is not None


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.UNKNOWN])
def test_a_requested_cancel_does_not_hide_what_came_out(state: State) -> None:
    job = make()
    claim = taken(job)
    lifecycle.cancel(job.id, reason="enough")
    assert finish(claim, verdict(state)) is state


def test_a_requested_cancel_never_ends_a_doubt() -> None:
    job = make()
    claim = taken(job)
    lifecycle.cancel(job.id, reason="enough")
    doubt = verdict(State.DELAYED, outcome=Outcome.UNKNOWN, failures=0)
    assert finish(claim, doubt) is State.DELAYED


@pytest.mark.parametrize(
    ("result", "stored"),
    [
        (None, None),
        ({"a": [1, None, "ü"]}, {"a": [1, None, "ü"]}),
        ("nul\x00", "nul"),
        ({"nul\x00": 1}, {"nul": 1}),
        (r"no \u0000 at all", r"no \u0000 at all"),
        ("\\", "\\"),
        (float("nan"), {"not_json": "nan"}),
        ({1, 2}, {"not_json": "{1, 2}"}),
        ({(1, 2): 3}, {"not_json": "{(1, 2): 3}"}),
        (10**400, 10**400),
    ],
)
def test_a_result_is_stored_or_described(result: Any, stored: Any) -> None:
    job = make()
    assert finish(taken(job), verdict(State.COMPLETED, result=result)) is State.COMPLETED
    assert fresh(job).result == stored


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def _deep() -> Any:
    nest: list[Any] = []
    for _ in range(100_000):
        nest = [nest]
    return nest


@pytest.mark.parametrize(
    "result",
    [
        "\ud800",
        {"\udfff": "\ud800 and more"},
        Unshowable(),
        10**5000,
        _deep(),
        "\x00" * 100_000,
        ["\x00"] * 20_000,
        "\\" * 100_001,
        "\ud83d" * 50_000,
    ],
    ids=lambda result: type(result).__name__,
)
def test_a_result_that_cannot_be_stored_completes_all_the_same(result: Any) -> None:
    """The work was done: a job that ran three times because of its result would be worse than a lost result."""
    job = make()
    assert finish(taken(job), verdict(State.COMPLETED, result=result)) is State.COMPLETED
    assert fresh(job).state == "completed"


def test_a_result_over_the_limit_is_described(settings: Any) -> None:
    settings.JOBS_RESULT_LIMIT = 100
    assert json.loads(storable("x" * 98) or "") == "x" * 98
    assert json.loads(storable("x" * 99) or "") == {"too_large": 101, "begins": '"' + "x" * 99 + '"'}


@pytest.mark.parametrize("text", ["nul \x00 in it", "half a pair \ud800", "\x00" * 10, "plain"])
def test_an_error_text_that_cannot_be_stored_is_cleaned(text: str) -> None:
    job = make()
    assert finish(taken(job), verdict(State.FAILED, error=text, error_class=text, traceback=text)) is State.FAILED
    attempt = Attempt.objects.get(job=job)
    assert {fresh(job).error, attempt.message, attempt.error_class, attempt.traceback} == {clean(text)}


def test_cleaning_keeps_what_can_be_kept() -> None:
    assert clean("a\x00b\ud800c😀") == "ab?c😀"


@COMMITTED
def test_a_finish_survives_a_lost_connection() -> None:
    job = make()
    claim = taken(job)
    end_backend()
    assert finish(claim, verdict(State.COMPLETED)) is State.COMPLETED
    assert Attempt.objects.filter(job=job).count() == 1


@COMMITTED
@pytest.mark.parametrize("prepared", [True, False])
def test_a_finish_whose_answer_was_lost_is_not_written_twice(
    monkeypatch: pytest.MonkeyPatch, settings: Any, prepared: bool
) -> None:
    settings.JOBS_PREPARE = prepared
    job = make()
    claim = taken(job)
    name = "_prepared" if prepared else "rows"
    ask = getattr(database, name)

    def lose_the_answer(sql: str, params: Any) -> Any:
        answer = ask(sql, params)
        if "jobs_attempt" in sql and not lost:
            lost.append(answer)
            end_backend()
            ask("SELECT 1", ())  # raises what a lost connection raises
        return answer

    lost: list[Any] = []
    monkeypatch.setattr(database, name, lose_the_answer)
    assert finish(claim, verdict(State.DELAYED)) is State.DELAYED
    assert lost
    assert fresh(job).failures == 1


@COMMITTED
def test_inside_a_transaction_nothing_is_repeated() -> None:
    job = make()

    def claim_in_a_transaction() -> None:
        with transaction.atomic():
            end_backend()
            take(job)

    with pytest.raises(OperationalError):
        claim_in_a_transaction()
    assert fresh(job).state == "waiting"
