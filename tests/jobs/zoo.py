"""A zoo of tiny jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from jobs import JobContext, Sensitive, current_job, job

PLACE = "tests.jobs.zoo"


@dataclass
class Stage:
    """What `perform` does, and how often it was called."""

    part: Callable[[JobContext], Any] = lambda _: None
    calls: list[int] = field(default_factory=list)


stage = Stage()


@job(max_attempts=3, backoff=2.0, backoff_max=100.0, timeout=60.0)
def perform() -> Any:
    """Do what the test wants; safe to run twice, the test knows."""
    context = current_job()
    stage.calls.append(context.run)
    return stage.part(context)


@job(queue="email", priority=3, max_attempts=5, subject=lambda *, number: f"number:{number}")
def mail(*, number: int) -> int:
    """Give the number back; safe to run twice, it touches nothing."""
    return number


@job(
    describe=lambda *, key, day=None, ratio=1.0: f"Look at {key} on {day}",
    aliases=["zoo.typed_once", "zoo.typed_long_ago"],
)
def typed(*, key: UUID, day: date | None = None, ratio: float = 1.0) -> list[str]:
    """Name the types that arrived; safe to run twice, it touches nothing."""
    return [type(key).__name__, type(day).__name__, type(ratio).__name__]


@job()
def anything(*, payload: Any) -> Any:
    """Give the payload back; safe to run twice, it touches nothing."""
    return payload


@job(subject=lambda *, number: f"{1 // number}")
def divides(*, number: int) -> None:
    """Has a subject that cannot always be told; safe to run twice, it does nothing."""


@job(subject=lambda *, code: f"code:{chr(code)}")
def odd(*, code: int) -> None:
    """Has a subject that may be of odd characters; safe to run twice, it does nothing."""


@dataclass
class Ear:
    """What `secretive` was told, and what it does with it."""

    heard: list[tuple[str, int | None]] = field(default_factory=list)
    part: Callable[[str], Any] = lambda _: None


ear = Ear()


@job(max_attempts=2)
def secretive(*, who: str, iban: Annotated[str, Sensitive], pin: Annotated[int | None, Sensitive] = None) -> Any:
    """Hear a secret and do what the test wants; safe to run twice, the test knows."""
    ear.heard.append((iban, pin))
    return ear.part(iban)


@job(queue="email", batch=10, max_attempts=3, backoff=2.0, timeout=60.0)
def flock(*, number: int = 0) -> Any:
    """Do what the test wants, in company; safe to run twice, the test knows."""
    stage.calls.append(number)
    return stage.part(current_job())
