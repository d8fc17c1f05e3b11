"""The table of legal moves, and the drawing of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobs.states import FINISHED, MOVES, UNFINISHED, State, may_move

ARCHITECTURE = Path(__file__).parents[2] / "ARCHITECTURE.md"


def test_the_drawing_in_the_architecture_shows_exactly_the_table() -> None:
    drawing = ARCHITECTURE.read_text().split("stateDiagram-v2", 1)[1].split("```", 1)[0]
    drawn = re.findall(r"^\s*(\w+) --> (\w+)", drawing, re.MULTILINE)
    assert len(drawn) == len(set(drawn)), "an arrow is drawn twice"
    assert sorted(drawn) == sorted((str(a), str(b)) for a, targets in MOVES.items() for b in targets)


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == set(State)


def test_a_state_is_finished_or_unfinished() -> None:
    assert set(State) == FINISHED | UNFINISHED
    assert not FINISHED & UNFINISHED
    assert State.UNKNOWN in UNFINISHED


def test_completed_is_final() -> None:
    assert not any(may_move(State.COMPLETED, target) for target in State)


def test_only_waiting_becomes_active() -> None:
    assert [origin for origin in State if may_move(origin, State.ACTIVE)] == [State.WAITING]


def test_a_doubt_is_never_cancelled() -> None:
    assert not may_move(State.UNKNOWN, State.CANCELLED)


@pytest.mark.parametrize("state", State)
def test_no_state_moves_to_itself(state: State) -> None:
    assert not may_move(state, state)
