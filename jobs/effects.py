"""What a job did outside of its own row, as the apps that own those things tell it.

An app registers how to look, in AppConfig.ready: `effects.register("payments", of_job)`. Command line, admin and API
show what all of them find.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Touched:
    """One thing that a job changed: `what` kind of thing, its `id` and page, and in `words` what was done with it."""

    at: datetime
    run: int | None
    what: str
    id: str
    words: str
    href: str | None = None


type Look = Callable[[uuid.UUID], Iterable[Touched]]

_registered: dict[str, Look] = {}


def register(name: str, look: Look) -> None:
    """Let `look(job_id)` tell what a job touched of this app's."""
    _registered[name] = look


def of(job_id: uuid.UUID) -> list[Touched]:
    """Everything that this job touched, oldest first. What is left of a job that retention took away is told too."""
    found = [touched for look in _registered.values() for touched in look(job_id)]
    return sorted(found, key=lambda touched: touched.at)


def as_json(touched: Touched) -> dict[str, Any]:
    """With the time as text."""
    return asdict(touched) | {"at": touched.at.isoformat()}
