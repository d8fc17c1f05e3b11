"""The states of a job and the moves between them: the one table that the drawing in ARCHITECTURE.md shows."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a job is. Values are stored in the row and shown to people."""

    WAITING = "waiting"  # due; runs as soon as a worker is free
    DELAYED = "delayed"  # becomes waiting at available_at
    ACTIVE = "active"  # a worker holds its lease
    COMPLETED = "completed"
    FAILED = "failed"  # attempts used up, permanent error or crash limit
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"  # an outside effect was begun and nobody knows whether it happened


FINISHED = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})
UNFINISHED = frozenset(State) - FINISHED

MOVES: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.ACTIVE, State.CANCELLED}),
    State.DELAYED: frozenset({State.WAITING, State.CANCELLED}),
    State.ACTIVE: frozenset(
        {State.COMPLETED, State.DELAYED, State.WAITING, State.FAILED, State.CANCELLED, State.UNKNOWN}
    ),
    State.UNKNOWN: frozenset({State.COMPLETED, State.WAITING, State.FAILED}),
    State.FAILED: frozenset({State.WAITING}),
    State.CANCELLED: frozenset({State.WAITING}),
    State.COMPLETED: frozenset(),
}
"""From each state, the states a job may move to. Nothing else is legal."""


def may_move(origin: State, target: State) -> bool:
    """Whether a job in `origin` may move to `target`."""
    return target in MOVES[origin]
