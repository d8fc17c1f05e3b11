"""What a person may do to a job: by which permission, by which call, and why not."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jobs import control
from jobs.models import Attempt, Job
from jobs.outcomes import Outcome
from jobs.states import State

type Act = Callable[[uuid.UUID, str, str], str]


@dataclass(frozen=True, kw_only=True)
class Move:
    """`act(job_id, by, reason)` does it and says what it did. Raises CannotMove or ValueError in words."""

    name: str
    label: str
    effect: str
    from_states: frozenset[State]
    act: Act
    reason: bool = False
    """Whether it asks for one, on a page of its own."""


def _retry(job_id: uuid.UUID, by: str, reason: str) -> str:
    control.retry(job_id, by=by)
    return "retried"


def _promote(job_id: uuid.UUID, by: str, reason: str) -> str:
    control.promote(job_id, by=by)
    return "promoted"


def _cancel(job_id: uuid.UUID, by: str, reason: str) -> str:
    state = control.cancel(job_id, reason=reason, by=by)
    return "cancelled" if state is State.CANCELLED else "asked to stop at its next checkpoint"


RETRY = Move(
    name="retry",
    label="Retry",
    effect="Starts afresh: failures and crashes count from zero.",
    from_states=frozenset({State.FAILED, State.CANCELLED}),
    act=_retry,
)
PROMOTE = Move(
    name="promote",
    label="Run now",
    effect="Due now instead of at its time.",
    from_states=frozenset({State.DELAYED}),
    act=_promote,
)
CANCEL = Move(
    name="cancel",
    label="Cancel …",
    effect="Never starts; a running one is asked to stop at its next checkpoint.",
    from_states=frozenset({State.WAITING, State.DELAYED, State.ACTIVE}),
    act=_cancel,
    reason=True,
)
MOVES = {move.name: move for move in (RETRY, PROMOTE, CANCEL)}


def refusal(move: Move, job: Job, attempts: Sequence[Attempt]) -> str:
    """Why this move is not offered for this job, in words; empty if it is. The lifecycle has the last word."""
    if job.state not in move.from_states:
        return f"This job is {job.state}; only a {_one_of(move.from_states)} job can be {_PAST[move.name]}."
    doubts = [a for a in attempts if a.outcome == Outcome.UNKNOWN]
    if move is CANCEL and doubts:
        return "This job is in doubt: its outside effect may have happened, so it cannot be cancelled."
    if move is CANCEL and job.cancel_requested:
        return "It was asked to stop already and will at its next checkpoint."
    if move is PROMOTE and any(a.number == job.runs for a in doubts):
        return "This job is in doubt: it is not sent again before its time."
    return ""


_PAST = {"retry": "retried", "promote": "run before its time", "cancel": "cancelled"}


def _one_of(states: frozenset[State]) -> str:
    *names, last = [state.value for state in State if state in states]
    return f"{', '.join(names)} or {last}" if names else last
