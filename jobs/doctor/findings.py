"""A finding, and the checks that other apps bring."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"  # somebody should know
    FAIL = "fail"  # something is not done that should be


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at. All but the good ones say why they matter and what to do."""

    check: str
    level: Level
    what: str
    why: str = ""
    todo: str = ""


type Check = Callable[[], Iterable[Finding]]

registered: dict[str, Check] = {}
"""The other apps' checks, by name."""


def register(name: str, check: Check) -> None:
    """Let `manage.py jobs doctor` make this check too. What it raises becomes a finding."""
    registered[name] = check


def ok(check: str, what: str) -> Finding:
    """Nothing to do."""
    return Finding(check=check, level=Level.OK, what=what)


def warn(check: str, what: str, *, why: str = "", todo: str = "") -> Finding:
    """Somebody should know."""
    return Finding(check=check, level=Level.WARN, what=what, why=why, todo=todo)


def fail(check: str, what: str, *, why: str = "", todo: str = "") -> Finding:
    """Something has to be done."""
    return Finding(check=check, level=Level.FAIL, what=what, why=why, todo=todo)
