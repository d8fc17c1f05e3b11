"""A job's runs as bars on one scale: waited, ran, backed off (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest

from jobs.models import Attempt, Job
from jobs.states import State

WIDTH = 1000
"""Units of the drawing."""
LEAST = 6
"""Units of the shortest bar: a run of a millisecond beside a wait of a week is still seen."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One stretch of time; `x` and `width` in units of the drawing."""

    what: str
    length: timedelta
    x: int
    width: int


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run, ended or not, and what came before and after it."""

    number: int
    outcome: str
    attempt: Attempt | None
    bars: list[Bar]

    def length(self, what: str) -> timedelta | None:
        """How long it waited, ran or backed off."""
        return next((bar.length for bar in self.bars if bar.what == what), None)


type _Stretch = tuple[str, datetime, datetime]


def timeline(job: Job, attempts: Sequence[Attempt], now: datetime) -> list[Run]:
    """The runs in order, with the one that is going on or waited for at the end."""
    runs: list[tuple[int, str, Attempt | None, list[_Stretch]]] = []
    for attempt, following in zip_longest(attempts, attempts[1:]):
        stretches = [
            ("waited", attempt.due_at, attempt.started_at),
            ("ran", attempt.started_at, attempt.finished_at),
        ]
        due_again = following.due_at if following else _due(job)
        if due_again and due_again > attempt.finished_at:
            stretches.append(("backed off", attempt.finished_at, due_again))
        runs.append((attempt.number, attempt.outcome, attempt, stretches))
    if going_on := _going_on(job, now):
        runs.append((job.runs + (job.state != State.ACTIVE), job.state, None, going_on))
    scale = _Scale([stretch for *_, stretches in runs for stretch in stretches])
    return [
        Run(number=number, outcome=outcome, attempt=attempt, bars=[scale.bar(stretch) for stretch in stretches])
        for number, outcome, attempt, stretches in runs
    ]


def _due(job: Job) -> datetime | None:
    return job.available_at if job.state in (State.WAITING, State.DELAYED, State.ACTIVE) else None


def _going_on(job: Job, now: datetime) -> list[_Stretch]:
    if job.state == State.ACTIVE and job.started_at:
        return [("waited", job.available_at, job.started_at), ("ran", job.started_at, now)]
    return [("waited", job.available_at, now)] if job.state == State.WAITING else []


class _Scale:
    def __init__(self, stretches: Sequence[_Stretch]) -> None:
        self.begin = min((begin for _, begin, _ in stretches), default=datetime.min)
        end = max((end for _, _, end in stretches), default=self.begin)
        self.length = max((end - self.begin).total_seconds(), 1e-6)

    def bar(self, stretch: _Stretch) -> Bar:
        what, begin, end = stretch
        length = max(end - begin, timedelta(0))
        width = max(LEAST, round(length.total_seconds() / self.length * WIDTH))
        x = round((begin - self.begin).total_seconds() / self.length * WIDTH)
        return Bar(what=what, length=length, x=max(0, min(x, WIDTH - width)), width=width)
