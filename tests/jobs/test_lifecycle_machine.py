"""The lifecycle against a model of it: whatever is tried, in whatever order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from jobs import lifecycle
from jobs.database import now
from jobs.lifecycle import CannotMove, Claim
from jobs.models import Attempt, Job
from jobs.outcomes import Budget, Cancelled, OutcomeUnknown, PermanentError, Released, Snooze, Verdict, completed, judge
from jobs.states import FINISHED, State, may_move
from tests.jobs.rows import HOUR, fresh, make, take

CRASH_LIMIT = 2
ENDS = [None, ValueError("x"), PermanentError("x"), Snooze(5), Released("x"), Cancelled("x")]
DOUBTS = [OutcomeUnknown("x"), OutcomeUnknown("x", resend_after=5)]


@dataclass
class Model:
    """What the row must say."""

    state: State
    runs: int = 0
    failures: int = 0
    crashes: int = 0
    ended: int = 0
    cancel_requested: bool = False
    doubted: bool = False


class Lifecycle(RuleBasedStateMachine):
    """One job, and everybody who wants something of it."""

    @initialize(state=st.sampled_from([State.WAITING, State.DELAYED]))
    def begin(self, state: State) -> None:
        Job.objects.all().delete()
        self.job = make(state, max_attempts=3)
        self.model = Model(state)
        self.owner: Claim | None = None
        self.former: list[Claim] = []

    def move(self, target: State) -> None:
        assert may_move(self.model.state, target)
        self.model.state = target

    def end_run(self) -> None:
        assert self.owner
        self.former.append(self.owner)
        self.owner = None
        self.model.ended += 1

    @rule()
    def claim(self) -> None:
        claim = take(self.job)
        assert (claim is not None) == (self.model.state is State.WAITING)
        if claim:
            self.move(State.ACTIVE)
            self.model.runs += 1
            self.owner = claim
            assert claim.run == self.model.runs

    @precondition(lambda self: self.owner is not None)
    @rule(error=st.sampled_from(ENDS + DOUBTS))
    def finish(self, error: Exception | None) -> None:
        assert self.owner
        verdict = self.judged(error)
        target = verdict.state
        if self.model.cancel_requested and target in (State.WAITING, State.DELAYED) and error not in DOUBTS:
            target = State.CANCELLED
        assert lifecycle.finish(self.owner, verdict) is target
        self.move(target)
        self.model.failures += verdict.failures
        if error in DOUBTS:  # it forgets a cancel that was asked for, and allows none any more
            self.model.doubted, self.model.cancel_requested = True, False
        self.end_run()

    def judged(self, error: Exception | None) -> Verdict:
        budget = Budget(failures=self.model.failures, max_attempts=3, backoff=1.0)
        return judge(error, budget) if error else completed("done")

    @precondition(lambda self: self.owner is not None and self.former)
    @rule(data=st.data())
    def finish_late(self, data: Any) -> None:
        late = data.draw(st.sampled_from(self.former))
        assert lifecycle.finish(late, completed("late")) is None

    @rule()
    def lose(self) -> None:
        lost = lifecycle.lose_expired(now=now() + 24 * HOUR, limit=10)
        assert len(lost) == (self.owner is not None)
        if lost:
            self.model.crashes += 1
            self.move(State.FAILED if self.model.crashes >= CRASH_LIMIT else State.WAITING)
            assert lost[0].state == self.model.state
            self.end_run()

    @rule()
    def promote(self) -> None:
        promoted = lifecycle.promote(now=now() + HOUR, limit=10)
        assert promoted == (self.model.state is State.DELAYED)
        if promoted:
            self.move(State.WAITING)

    @rule()
    def promote_by_hand(self) -> None:
        try:
            lifecycle.promote_one(self.job.id)
        except CannotMove:
            return
        assert self.model.state is State.DELAYED
        self.move(State.WAITING)

    @rule()
    def cancel(self) -> None:
        try:
            answer = lifecycle.cancel(self.job.id, reason="x")
        except CannotMove:
            assert self.model.doubted or self.model.state not in (State.WAITING, State.DELAYED, State.ACTIVE)
            return
        assert not self.model.doubted
        if answer is State.CANCELLED:
            self.move(State.CANCELLED)
        else:
            assert self.model.state is State.ACTIVE
            self.model.cancel_requested = True

    @rule()
    def retry(self) -> None:
        try:
            lifecycle.retry(self.job.id)
        except CannotMove:
            assert self.model.state not in (State.FAILED, State.CANCELLED)
            return
        self.move(State.WAITING)
        self.model.failures = self.model.crashes = 0
        self.model.cancel_requested = False

    @rule(state=st.sampled_from([State.COMPLETED, State.FAILED, State.WAITING]))
    def resolve(self, state: State) -> None:
        try:
            lifecycle.resolve(self.job.id, state=state, reason="x")
        except CannotMove:
            assert self.model.state is not State.UNKNOWN
            return
        self.move(state)
        self.model.cancel_requested = False

    @invariant()
    def the_row_says_what_the_model_says(self) -> None:
        if not hasattr(self, "job"):
            return
        row, model = fresh(self.job), self.model
        assert (row.state, row.runs, row.failures, row.crashes, row.cancel_requested) == (
            model.state,
            model.runs,
            model.failures,
            model.crashes,
            model.cancel_requested,
        )
        assert (row.finished_at is not None) == (model.state in FINISHED)
        numbers = list(Attempt.objects.filter(job=row).order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, model.ended + 1))
        assert model.runs == model.ended + (model.state is State.ACTIVE)


@pytest.mark.django_db
def test_every_order_of_moves_keeps_the_table_and_the_counters(settings: Any) -> None:
    settings.JOBS_CRASH_LIMIT = CRASH_LIMIT
    run_state_machine_as_test(
        Lifecycle, settings=hypothesis_settings(max_examples=20, stateful_step_count=20, deadline=None, database=None)
    )
