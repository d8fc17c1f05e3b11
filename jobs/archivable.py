"""Rows that may leave the database for an archive, as the apps that own them tell it.

An app registers what it owns, in AppConfig.ready: `archivable.register(Archivable(name="jobs", …))`. Who archives
(contralock/upkeep) knows nothing of these tables but what is said here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

type Ids = list[Any]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A table whose rows belong to a row of another: they leave and come back with it."""

    table: str
    owner: str
    """The column that refers to the owner's `id`."""


@dataclass(frozen=True, kw_only=True)
class Archivable:
    """One table whose rows may leave when they are old; its key is called `id`, and is of the type `key`.

    `due(now, limit)`: ids of rows that may leave, at most so many, the oldest first.
    """

    name: str
    table: str
    key: str
    due: Callable[[datetime, int], Ids]
    parts: tuple[Part, ...] = ()


registered: dict[str, Archivable] = {}
"""What may be archived, by name."""


def register(found: Archivable) -> None:
    """Let rows of this table be archived. A second one of this name replaces the first."""
    registered[found.name] = found
