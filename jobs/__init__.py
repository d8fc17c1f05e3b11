"""The job engine's public door. Domain apps import from here and nowhere deeper.

    from jobs import job, current_job, PermanentError

Names are loaded on first use, because Django imports this package before its models are ready.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.arguments import InvalidArguments as InvalidArguments
    from jobs.context import JobContext as JobContext
    from jobs.context import current_job as current_job
    from jobs.enqueue import InvalidOptions as InvalidOptions
    from jobs.enqueue import JobHandle as JobHandle
    from jobs.kinds import job as job
    from jobs.lifecycle import CannotMove as CannotMove
    from jobs.outcomes import Cancelled as Cancelled
    from jobs.outcomes import LeaseLost as LeaseLost
    from jobs.outcomes import OutcomeUnknown as OutcomeUnknown
    from jobs.outcomes import PermanentError as PermanentError
    from jobs.outcomes import Released as Released
    from jobs.outcomes import Skipped as Skipped
    from jobs.outcomes import Snooze as Snooze
    from jobs.secrets import Sensitive as Sensitive
    from jobs.states import State as State

_HOME = {
    "job": "jobs.kinds",
    "current_job": "jobs.context",
    "JobContext": "jobs.context",
    "JobHandle": "jobs.enqueue",
    "InvalidOptions": "jobs.enqueue",
    "InvalidArguments": "jobs.arguments",
    "State": "jobs.states",
    "Sensitive": "jobs.secrets",
    "CannotMove": "jobs.lifecycle",
} | dict.fromkeys(
    ("Cancelled", "LeaseLost", "OutcomeUnknown", "PermanentError", "Released", "Skipped", "Snooze"), "jobs.outcomes"
)

__all__ = [
    "Cancelled",
    "CannotMove",
    "InvalidArguments",
    "InvalidOptions",
    "JobContext",
    "JobHandle",
    "LeaseLost",
    "OutcomeUnknown",
    "PermanentError",
    "Released",
    "Sensitive",
    "Skipped",
    "Snooze",
    "State",
    "current_job",
    "job",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'jobs' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
