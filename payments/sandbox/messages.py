"""What goes in and out of the server, whatever carries it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request that arrived whole. `gone` says whether its sender has hung up meanwhile."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    base: str
    gone: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class Answer:
    """What is sent back. `cut`: "drop" closes the connection instead, "half" after half of the body."""

    status: int
    body: bytes
    kind: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    cut: str = ""


def in_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(value).encode(), headers=headers or {})
