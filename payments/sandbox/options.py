"""How a local Stripe is started."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEY = "sk_test_local"
SECRET, CONNECT_SECRET = "whsec_local", "whsec_local_connect"


@dataclass(frozen=True, slots=True)
class Options:
    """`port` 0 takes a free one. Without `state` everything is in memory. `automatic`: Stripe's own moves happen by
    themselves; else `/_test/advance` makes them."""

    port: int = 0
    keys: frozenset[str] = frozenset({KEY})
    state: Path | None = None
    webhook: str | None = None
    secret: str = SECRET
    connect_webhook: str | None = None
    connect_secret: str = CONNECT_SECRET
    automatic: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
