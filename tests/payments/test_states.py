"""The tables of legal moves, against the machines that the design draws (payments.md, section 5)."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from itertools import pairwise

import pytest

from payments.states import (
    BACK,
    DISPATCH_MOVES,
    DISPUTE_MOVES,
    FIRST_STATUS,
    MILESTONE_MOVES,
    STATUS_MOVES,
    Dispatch,
    Kind,
    MilestoneStatus,
    Status,
    origins,
)

DISPATCH = """
ready -> sent -> confirmed | unknown | rejected | parked | manual; unknown -> confirmed | rejected | manual;
parked -> ready
"""
"""As drawn; `rejected -> ready(attempt+1)` is one step here, sent -> ready: a rejected one holds nothing."""

BEYOND = {
    ("ready", "parked"): "a dispute opens before it is sent",
    ("ready", "rejected"): "it is given up before it is sent",
    ("ready", "confirmed"): "found at Stripe after a restore",
    ("ready", "manual"): "its key is too old to be used",
    ("sent", "ready"): "a new attempt",
    ("unknown", "ready"): "a new attempt, after the absence of an effect was proven",
    ("parked", "rejected"): "a dispute was decided against it",
    ("parked", "confirmed"): "an event says that it was done",
    ("parked", "manual"): "a person takes it over",
    ("manual", "confirmed"): "a person found it",
    ("manual", "rejected"): "a person gives it up",
    ("manual", "ready"): "a person has it tried anew",
}

STATUSES = {
    Kind.DEPOSIT: """awaiting_payment -> processing -> held -> disputed -> held | lost;
                     awaiting_payment -> failed | canceled | manual""",
    Kind.RELEASE: "requested -> transferred -> partly_reversed | fully_reversed; requested -> rejected",
    Kind.WITHDRAWAL: """requested -> in_bank_transit -> paid -> failed_returned; requested -> rejected | canceled;
                        requested -> failed_returned; in_bank_transit -> failed_returned""",
    Kind.REFUND: """requested -> pending -> refunded -> failed_returned; reversing -> requested;
                    requested -> rejected""",
    Kind.REVERSAL: "requested -> reversed; requested -> rejected",
}
"""As drawn; `sending` and `unknown` are said by the dispatch."""


def drawn(text: str) -> set[tuple[str, str]]:
    """The arrows of a drawing: a -> b | c -> d goes on from the last of the alternatives before."""
    found = set()
    for chain in text.split(";"):
        steps = [re.findall(r"\w+", step) for step in chain.split("->")]
        for before, after in pairwise(steps):
            found |= {(before[0], target) for target in after}
    return found


def arrows[T](moves: dict[T, frozenset[T]]) -> set[tuple[str, str]]:
    return {(str(origin), str(target)) for origin, targets in moves.items() for target in targets}


def test_the_dispatch_table_is_the_drawing_and_what_is_listed_beyond_it() -> None:
    assert arrows(DISPATCH_MOVES) == drawn(DISPATCH) | set(BEYOND)
    assert not drawn(DISPATCH) & set(BEYOND)


@pytest.mark.parametrize("kind", Kind)
def test_every_drawn_move_of_a_status_is_legal(kind: Kind) -> None:
    assert drawn(STATUSES[kind]) <= arrows(STATUS_MOVES[kind])


@pytest.mark.parametrize("kind", Kind)
def test_a_status_never_leads_back_but_where_the_table_says_so(kind: Kind) -> None:
    back = BACK.get(kind, frozenset())
    ahead = {
        origin: {target for target in targets if (origin, target) not in back}
        for origin, targets in STATUS_MOVES[kind].items()
    }
    TopologicalSorter(ahead).prepare()  # raises CycleError


@pytest.mark.parametrize("kind", Kind)
def test_a_failed_payout_or_refund_is_believed_from_every_status_that_is_not_over(kind: Kind) -> None:
    if Status.FAILED_RETURNED not in STATUS_MOVES[kind]:
        return
    believed = set(origins(STATUS_MOVES[kind], Status.FAILED_RETURNED))
    over = {status for status, targets in STATUS_MOVES[kind].items() if not targets}
    assert believed == set(STATUS_MOVES[kind]) - over - {Status.REVERSING}


@pytest.mark.parametrize("moves", [MILESTONE_MOVES, DISPUTE_MOVES, DISPATCH_MOVES, *STATUS_MOVES.values()])
def test_a_table_is_closed_and_nothing_moves_to_itself(moves: dict[str, frozenset[str]]) -> None:
    assert {target for targets in moves.values() for target in targets} <= set(moves)
    assert not any(origin in targets for origin, targets in moves.items())


def test_every_state_is_in_its_table() -> None:
    assert set(DISPATCH_MOVES) == set(Dispatch)
    assert set(MILESTONE_MOVES) == set(MilestoneStatus)
    assert {status for moves in STATUS_MOVES.values() for status in moves} == set(Status)
    assert all(FIRST_STATUS[kind] in STATUS_MOVES[kind] for kind in Kind)


def test_a_dispatch_ends_as_confirmed_or_rejected_for_good() -> None:
    assert [state for state, targets in DISPATCH_MOVES.items() if not targets] == [
        Dispatch.REJECTED, Dispatch.CONFIRMED,
    ]  # fmt: skip


def test_only_money_that_is_held_can_be_released_or_delivered() -> None:
    assert set(origins(MILESTONE_MOVES, MilestoneStatus.RELEASED)) == {
        MilestoneStatus.FUNDED, MilestoneStatus.DELIVERED, MilestoneStatus.DISPUTED,
    }  # fmt: skip
