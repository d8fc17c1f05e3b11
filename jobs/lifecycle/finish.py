"""How runs ended, written by the owner of their lease."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from jobs import statements as sql
from jobs.database import Row, repeatable, rows
from jobs.lifecycle.claim import Claim
from jobs.lifecycle.texts import clean, storable
from jobs.outcomes import Outcome, Verdict
from jobs.states import State

PATIENCE = 60.0
"""Seconds a finished run keeps trying to say so while PostgreSQL is away; its heartbeat holds the lease meanwhile."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """One run that is over. `began` and `ended`: seconds ago; `began` None takes the time of the claim."""

    claim: Claim
    verdict: Verdict
    began: float | None = None
    ended: float = 0.0


def finish(claim: Claim, verdict: Verdict) -> State | None:
    """Write how the run ended, with its attempt, if the lease is still the caller's own.

    Returns the state the job is in now, or None when somebody else owns it and nothing was written.
    May be repeated: a finish whose answer was lost with the connection recognises itself.
    """
    return finish_many([Ending(claim=claim, verdict=verdict)])[claim.id]


def finish_many(
    endings: Sequence[Ending], *, using: BaseDatabaseWrapper | None = None
) -> dict[uuid.UUID, State | None]:
    """Write how runs under one token ended, all in one transaction; per job as `finish` says.

    On another connection (`using`) it is tried once.
    """

    def run(statement: str, params: dict[str, Any]) -> list[Row]:
        return rows(statement, params, using=using) if using else repeatable(statement, params, patience=PATIENCE)

    states: dict[uuid.UUID, State | None] = {ending.claim.id: None for ending in endings}
    params = finish_params(endings)
    _note(states, run(sql.FINISH, params))
    if open_ := [job_id for job_id, state in states.items() if state is None]:
        owned = run(sql.OWNED, {"ids": open_, "token": params["token"]})
        _note(states, [row for row in owned if row[1] != State.ACTIVE])
    return states


def _note(states: dict[uuid.UUID, State | None], found: list[Row]) -> None:
    states.update((job_id, State(state)) for job_id, state in found)


def finish_params(endings: Sequence[Ending]) -> dict[str, Any]:
    """The parameters of statements.FINISH for runs under one token."""
    return {
        "token": endings[0].claim.token,
        "said": json.dumps([_said(ending) for ending in endings], ensure_ascii=False),
    }


def _said(ending: Ending) -> dict[str, Any]:
    verdict = ending.verdict
    return {
        "id": str(ending.claim.id),
        "state": verdict.state.value,
        # A cancel that was asked for while it ran holds for a run that wants to go on, but never for a doubt:
        # money or mail may be under way.
        "cancellable": verdict.state in (State.WAITING, State.DELAYED) and verdict.outcome is not Outcome.UNKNOWN,
        "failures": verdict.failures,
        "delay": verdict.delay,
        "result": storable(verdict.result),
        "outcome": verdict.outcome.value,
        "error_class": clean(verdict.error_class),
        "error": clean(verdict.error),
        "traceback": clean(verdict.traceback),
        "began": ending.began,
        "ended": ending.ended,
    }
