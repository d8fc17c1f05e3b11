"""What a handler may say, and what each saying means for the row (pure: no database, no clock)."""

from __future__ import annotations

import signal
import traceback
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import InterfaceError, OperationalError

from jobs.states import State


class PermanentError(Exception):
    """Raise when trying again cannot help: the job is failed at once."""


class Snooze(Exception):
    """Raise to be run again after `seconds`; spends no attempt."""

    def __init__(self, seconds: float, reason: str = "") -> None:
        if seconds < 0:
            raise ValueError(f"Snooze takes seconds from now, got {seconds}. Use 0 to run again at once.")
        super().__init__(reason or f"asked to run again in {seconds} s")
        self.seconds = seconds


class Skipped(Exception):
    """Raise when there is nothing (any more) to do: the job is completed, its result says why."""


class OutcomeUnknown(Exception):
    """Raise when an outside effect was begun and it is not known whether it happened.

    With `resend_after` (seconds) sending again is allowed: the job is delayed by that long and no
    attempt is spent. Without it sending again is forbidden: the job parks as `unknown` until a
    resolver or a person decides.
    """

    def __init__(self, reason: str, *, resend_after: float | None = None) -> None:
        super().__init__(reason)
        self.resend_after = resend_after


class LeaseLost(Exception):
    """Raised by a checkpoint: another worker owns the job now. Stop; nothing you write will count."""


class Cancelled(Exception):
    """Raised by a checkpoint: somebody asked for this job to be cancelled."""


class Released(Exception):
    """Raised by a checkpoint: this worker is shutting down and gives the job back."""


class Outcome(StrEnum):
    """How one attempt ended; stored with the attempt."""

    COMPLETED = "completed"
    SKIPPED = "skipped"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    SNOOZED = "snoozed"
    RELEASED = "released"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    CRASHED = "crashed"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one run means for its row. `delay` (seconds) is set where the job is to run again later."""

    state: State
    outcome: Outcome
    failures: int = 0
    delay: float | None = None
    result: Any = None
    error: str = ""
    error_class: str = ""
    traceback: str = ""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a job may still spend: failures so far, the limit, and the back-off before the next attempt (seconds)."""

    failures: int
    max_attempts: int
    backoff: float

    @property
    def last(self) -> bool:
        """Whether a failure now is the final one."""
        return self.failures + 1 >= self.max_attempts


TOLD_TO_STOP = signal.SIGTERM - 256
"""Billiard's exit code for a SIGTERM to a pool process: a cold shutdown, or systemd, which signals the whole group."""
LOST_CONNECTION_DELAY = 1.0  # seconds; PostgreSQL restarts in about that


def completed(result: Any) -> Verdict:
    """The verdict on a handler that returned."""
    return Verdict(state=State.COMPLETED, outcome=Outcome.COMPLETED, result=result)


def judge(error: BaseException, budget: Budget) -> Verdict:
    """The verdict on a handler that raised."""
    said: dict[str, Any] = {"error": _sentence(error), "error_class": type(error).__name__}
    match error:
        case Skipped():
            return Verdict(state=State.COMPLETED, outcome=Outcome.SKIPPED, result={"skipped": str(error)})
        case Snooze():
            return _later(Outcome.SNOOZED, error.seconds, said)
        case Released():
            return Verdict(state=State.WAITING, outcome=Outcome.RELEASED, **said)
        case SystemExit(code=code) if code == TOLD_TO_STOP:
            said["error"] = "its process was told to stop"
            return Verdict(state=State.WAITING, outcome=Outcome.RELEASED, **said)
        case Cancelled():
            return Verdict(state=State.CANCELLED, outcome=Outcome.CANCELLED, **said)
        case OutcomeUnknown(resend_after=None):
            return Verdict(state=State.UNKNOWN, outcome=Outcome.UNKNOWN, traceback=_trace(error), **said)
        case OutcomeUnknown(resend_after=float() | int() as seconds):
            return _later(Outcome.UNKNOWN, seconds, said)
        case OperationalError() | InterfaceError() if lost_connection(error):
            return _later(Outcome.SNOOZED, LOST_CONNECTION_DELAY, said)
    return failed(error, budget, permanent=isinstance(error, PermanentError))


def failed(
    error: BaseException, budget: Budget, *, permanent: bool = False, outcome: Outcome = Outcome.FAILED
) -> Verdict:
    """The verdict on a failed attempt: again after the back-off while attempts are left, else failed."""
    said: dict[str, Any] = {
        "error": _sentence(error),
        "error_class": type(error).__name__,
        "traceback": _trace(error),
    }
    if permanent or budget.last:
        return Verdict(state=State.FAILED, outcome=outcome, failures=1, **said)
    return Verdict(state=State.DELAYED, outcome=outcome, failures=1, delay=budget.backoff, **said)


def lost_connection(error: BaseException) -> bool:
    """Whether PostgreSQL went away under the handler (class 57P and 08 of its error codes, or no code at all).

    A lock or statement timeout has a code of its own and is the handler's failure; so is psycopg's
    InterfaceError, such as a closed cursor: a snooze would repeat it for ever.
    """
    code = getattr(error.__cause__, "sqlstate", None)
    return isinstance(error, OperationalError) if code is None else code.startswith(("57P", "08"))


def _later(outcome: Outcome, seconds: float, said: dict[str, Any]) -> Verdict:
    # "Again at once" goes to the back of the line, not through the keeper.
    state = State.DELAYED if seconds > 0 else State.WAITING
    return Verdict(state=state, outcome=outcome, delay=seconds, **said)


def _sentence(error: BaseException) -> str:
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - its own __str__ fails
        return type(error).__name__


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-32_000:]
