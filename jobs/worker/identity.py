"""Which boot of which worker this process belongs to. Made in the main process, inherited by its children."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from jobs.ids import uuid7


@dataclass
class Boot:
    """One start of a worker (or of a process that runs jobs without one, as tests do)."""

    id: uuid.UUID = field(default_factory=uuid7)
    name: str = ""
    queues: tuple[str, ...] = ()
    concurrency: int = 1


boot = Boot()
