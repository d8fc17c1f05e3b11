"""What a handler may say, and what each saying means for the row."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, connection

from jobs import Cancelled, LeaseLost, OutcomeUnknown, PermanentError, Released, Skipped, Snooze
from jobs.database import rows
from jobs.outcomes import TOLD_TO_STOP, Budget, Outcome, completed, judge, lost_connection
from jobs.states import MOVES, State
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import end_backend, make

FRESH = Budget(failures=0, max_attempts=3, backoff=7.0)
LAST = Budget(failures=2, max_attempts=3, backoff=7.0)


class Mute(Exception):
    """Has no text."""


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_what_returns_is_completed() -> None:
    verdict = completed({"a": 1})
    assert (verdict.state, verdict.outcome, verdict.result) == (State.COMPLETED, Outcome.COMPLETED, {"a": 1})


@pytest.mark.parametrize("budget", [FRESH, LAST], ids=["fresh", "last"])
@pytest.mark.parametrize(
    ("error", "state", "outcome", "delay"),
    [
        (Skipped("nothing"), State.COMPLETED, Outcome.SKIPPED, None),
        (Snooze(60), State.DELAYED, Outcome.SNOOZED, 60),
        (Snooze(0), State.WAITING, Outcome.SNOOZED, 0),
        (Released("x"), State.WAITING, Outcome.RELEASED, None),
        (SystemExit(TOLD_TO_STOP), State.WAITING, Outcome.RELEASED, None),
        (Cancelled("x"), State.CANCELLED, Outcome.CANCELLED, None),
        (OutcomeUnknown("x"), State.UNKNOWN, Outcome.UNKNOWN, None),
        (OutcomeUnknown("x", resend_after=600), State.DELAYED, Outcome.UNKNOWN, 600),
        (OutcomeUnknown("x", resend_after=0.5), State.DELAYED, Outcome.UNKNOWN, 0.5),
        (OutcomeUnknown("x", resend_after=0), State.WAITING, Outcome.UNKNOWN, 0),
    ],
)
def test_what_spends_no_attempt(
    error: BaseException, state: State, outcome: Outcome, delay: float | None, budget: Budget
) -> None:
    verdict = judge(error, budget)
    assert (verdict.state, verdict.outcome, verdict.delay, verdict.failures) == (state, outcome, delay, 0)


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), KeyError("x"), LeaseLost("x"), SystemExit(1), RecursionError(), ExceptionGroup("x", [OSError()])],
)
def test_any_other_error_is_a_failed_attempt(error: BaseException) -> None:
    again, final = judge(error, FRESH), judge(error, LAST)
    assert (again.state, again.failures, again.delay, again.outcome) == (State.DELAYED, 1, 7.0, Outcome.FAILED)
    assert (final.state, final.failures, final.delay) == (State.FAILED, 1, None)
    assert again.error_class == type(error).__name__
    assert again.error
    assert again.error_class in again.traceback


def test_a_permanent_error_is_final_at_once() -> None:
    verdict = judge(PermanentError("x"), FRESH)
    assert (verdict.state, verdict.failures) == (State.FAILED, 1)


def test_a_subclass_says_what_its_parent_says() -> None:
    class Gone(Skipped): ...

    class Bounced(PermanentError): ...

    assert judge(Gone("x"), FRESH).outcome is Outcome.SKIPPED
    assert judge(Bounced("x"), FRESH).state is State.FAILED


def test_every_verdict_is_a_legal_move_of_a_running_job() -> None:
    for error in (Skipped(), Snooze(1), Snooze(0), Released(), Cancelled(), OutcomeUnknown("x"), ValueError()):
        assert judge(error, FRESH).state in MOVES[State.ACTIVE]


def test_an_error_without_text_says_its_class() -> None:
    assert judge(Mute(), FRESH).error == "Mute"


def test_an_error_that_cannot_be_spoken_is_a_failure_all_the_same() -> None:
    verdict = judge(Unspeakable(), FRESH)
    assert (verdict.state, verdict.error_class) == (State.DELAYED, "Unspeakable")


def test_a_long_traceback_keeps_its_end() -> None:
    error = ValueError("x" * 100_000 + "the end")
    verdict = judge(error, FRESH)
    assert len(verdict.traceback) <= 32_000
    assert verdict.traceback.rstrip().endswith("the end")


def test_a_snooze_into_the_past_is_refused_where_it_is_made() -> None:
    with pytest.raises(ValueError, match="Use 0 to run again at once"):
        Snooze(-1)


@pytest.mark.parametrize(("failures", "last"), [(0, False), (1, False), (2, True), (3, True)])
def test_the_last_attempt_is_known(failures: int, last: bool) -> None:
    assert Budget(failures=failures, max_attempts=3, backoff=1).last is last


# ---------------------------------------------------------------- real errors of PostgreSQL
def error_of(act: Any) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any
        act()
    connection.close()
    return caught.value


@COMMITTED
def test_a_backend_that_was_ended_is_a_lost_connection() -> None:
    end_backend()
    first = error_of(lambda: rows("SELECT 1"))
    assert isinstance(first, OperationalError)
    assert lost_connection(first)
    assert judge(first, LAST).outcome is Outcome.SNOOZED


@COMMITTED
def test_a_connection_that_stays_dead_is_a_lost_connection() -> None:
    end_backend()
    with pytest.raises(OperationalError):
        rows("SELECT 1")
    assert lost_connection(error_of(lambda: rows("SELECT 1")))


@COMMITTED
def test_a_server_that_is_not_there_is_a_lost_connection() -> None:
    nowhere = connection.copy()
    nowhere.settings_dict = {**nowhere.settings_dict, "PORT": 1}
    assert lost_connection(error_of(lambda: rows("SELECT 1", using=nowhere)))


@COMMITTED
@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        (["SET statement_timeout = '20ms'", "SELECT pg_sleep(5)"], OperationalError),
        (["SET lock_timeout = '1ms'", "SELECT pg_advisory_lock(7)"], OperationalError),
        (["SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)"], OperationalError),
        (["SELECT 1 / 0"], DataError),
        (["SELEKT"], Exception),
    ],
    ids=["statement timeout", "lock timeout", "cancelled", "division", "syntax"],
)
def test_an_error_with_a_code_of_its_own_is_the_handlers_failure(statements: list[str], kind: type[Exception]) -> None:
    other = connection.copy()
    rows("SELECT pg_advisory_lock(7)", using=other)
    error = error_of(lambda: [rows(statement) for statement in statements])
    other.close()
    assert isinstance(error, kind)
    assert judge(error, FRESH).failures == 1


@COMMITTED
def test_a_broken_constraint_is_the_handlers_failure() -> None:
    make(unique_key="k")
    error = error_of(lambda: make(unique_key="k"))
    assert isinstance(error, IntegrityError)
    assert judge(error, FRESH).failures == 1


def test_a_serialisation_failure_is_a_failure_and_tried_again() -> None:
    error = OperationalError("x")
    error.__cause__ = psycopg.errors.DeadlockDetected("x")
    assert judge(error, FRESH).failures == 1


@COMMITTED
def test_a_closed_cursor_is_a_mistake_of_the_handler_not_a_lost_connection() -> None:
    """A snooze would repeat it for ever."""

    def use_it_closed() -> None:
        with connection.cursor() as cursor:
            pass
        cursor.execute("SELECT 1")

    error = error_of(use_it_closed)
    assert isinstance(error, InterfaceError)
    assert judge(error, LAST).state is State.FAILED
