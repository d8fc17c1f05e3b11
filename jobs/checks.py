"""What `manage.py check` refuses about the engine's settings and declarations. Ids are never used for anything else.

jobs.E001–E007, E011 settings that would lose or double jobs; E008–E010 queues; E012 a setting that nobody reads;
E020 a function that cannot be a job.
"""

from __future__ import annotations

import re
import sys
from difflib import get_close_matches
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import Error
from django.core.checks import register as register_check

from jobs import kinds

SETTINGS = frozenset(
    {
        *("JOBS_ARGS_LIMIT", "JOBS_BACKOFF", "JOBS_BACKOFF_MAX", "JOBS_CRASH_LIMIT", "JOBS_DEFAULT_QUEUE"),
        *("JOBS_DRILL", "JOBS_HEARTBEAT", "JOBS_KEEP_COMPLETED", "JOBS_KEEP_COMPLETED_FOR", "JOBS_KEEP_FAILED"),
        *("JOBS_KEEP_FAILED_FOR", "JOBS_LEASE", "JOBS_MAX_ATTEMPTS", "JOBS_PREPARE", "JOBS_QUEUES", "JOBS_RERING"),
        *("JOBS_RESULT_LIMIT", "JOBS_SECRET_KEYS", "JOBS_TICK", "JOBS_TIMEOUT", "JOBS_WINDOW"),
    }
)
QUEUE_POLICY = frozenset({"concurrency", "prefetch"})
QUEUE_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,49}")


def is_fernet_key(text: str) -> bool:
    """Whether `text` is 32 bytes in URL-safe base64."""
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


def register() -> None:
    """Called when the app is ready."""
    for check in (settings_fit, queues_fit, settings_known, declarations_fit):
        register_check(check)


def asked_for() -> bool:
    """Whether this process is `manage.py check`, which collects bad declarations; any other stops at the first."""
    return sys.argv[1:2] == ["check"]


def settings_fit(**_: Any) -> list[Error]:
    """Settings that would lose or double jobs."""
    found = [
        (
            getattr(settings, "CELERY_TASK_ALWAYS_EAGER", False),
            "CELERY_TASK_ALWAYS_EAGER skips the row, the lease and the retries.",
            "Remove it; tests call the function itself.",
            "jobs.E001",
        ),
        (
            settings.JOBS_LEASE < 4 * settings.JOBS_HEARTBEAT,
            f"JOBS_LEASE ({settings.JOBS_LEASE:g} s) is shorter than four heartbeats ({settings.JOBS_HEARTBEAT:g} s).",
            "One late beat would double a running job: raise JOBS_LEASE or lower JOBS_HEARTBEAT.",
            "jobs.E002",
        ),
        (
            settings.DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql",
            "The engine needs PostgreSQL.",
            "Set DATABASE_URL=postgres://…",
            "jobs.E003",
        ),
        (
            bool(settings.DATABASES["default"].get("OPTIONS", {}).get("pool")),
            "A connection pool inside a worker outlives fork and holds idle connections.",
            "Remove OPTIONS['pool']; put pgbouncer in session mode in front if connections are scarce.",
            "jobs.E004",
        ),
        (
            settings.JOBS_DEFAULT_QUEUE not in settings.JOBS_QUEUES,
            f"JOBS_DEFAULT_QUEUE {settings.JOBS_DEFAULT_QUEUE!r} is not in JOBS_QUEUES.",
            kinds.unknown_queue(settings.JOBS_DEFAULT_QUEUE),
            "jobs.E005",
        ),
        (
            not all(is_fernet_key(key) for key in settings.JOBS_SECRET_KEYS),
            "JOBS_SECRET_KEYS holds something that is no Fernet key.",
            "Make one: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
            "jobs.E007",
        ),
        (
            settings.JOBS_TICK * 8 > settings.JOBS_LEASE,
            f"JOBS_TICK ({settings.JOBS_TICK:g} s) is longer than an eighth of JOBS_LEASE ({settings.JOBS_LEASE:g} s).",
            "Dead workers would be noticed late: lower JOBS_TICK.",
            "jobs.E006",
        ),
        (
            bool(getattr(settings, "CELERY_BEAT_SCHEDULE", None)),
            "CELERY_BEAT_SCHEDULE is not read: schedules live in the database.",
            "Make them in the admin, or in a migration (django_celery_beat.PeriodicTask).",
            "jobs.E011",
        ),
    ]
    return [Error(message, hint=hint, id=id_) for wrong, message, hint, id_ in found if wrong]


def queues_fit(**_: Any) -> list[Error]:
    """Queues that no worker could serve, or whose worker could not hold what it asks for."""
    found = [error for queue, policy in settings.JOBS_QUEUES.items() for error in _queue_fits(queue, policy)]
    numbers = [p for p in settings.JOBS_QUEUES.values() if _numbers(p)]
    need = max((p["concurrency"] * p["prefetch"] for p in numbers), default=1)
    if need > settings.JOBS_WINDOW:
        text = f"JOBS_WINDOW ({settings.JOBS_WINDOW}) is smaller than what one worker takes at a time ({need})."
        found.append(Error(text, hint="It would starve between two rings: raise JOBS_WINDOW.", id="jobs.E010"))
    return found


def _queue_fits(queue: str, policy: dict[str, Any]) -> list[Error]:
    found = []
    if not QUEUE_NAME.fullmatch(queue):
        hint = "Small letters, digits, '.', '-' and '_', 50 at most; it is typed behind `celery worker -Q`."
        found.append(Error(f"JOBS_QUEUES: {queue!r} is no name for a queue.", hint=hint, id="jobs.E009"))
    if set(policy) != QUEUE_POLICY:
        wrong = sorted(set(policy) - QUEUE_POLICY)
        hint = " ".join(_near(name, QUEUE_POLICY) for name in wrong) or "It takes concurrency and prefetch."
        text = f"JOBS_QUEUES[{queue!r}] has {', '.join(sorted(policy)) or 'nothing'}."
        found.append(Error(text, hint=hint, id="jobs.E008"))
    elif not _numbers(policy):
        text = f"JOBS_QUEUES[{queue!r}]: concurrency and prefetch are whole numbers from 1 on, got {policy}."
        found.append(Error(text, hint="prefetch 1 takes one message at a time.", id="jobs.E008"))
    return found


def _numbers(policy: dict[str, Any]) -> bool:
    return all(type(policy.get(name)) is int and policy[name] >= 1 for name in QUEUE_POLICY)


def settings_known(**_: Any) -> list[Error]:
    """Settings that look like the engine's and are not."""
    strange = sorted(name for name in dir(settings) if name.startswith("JOBS_") and name not in SETTINGS)
    return [Error(f"Nobody reads the setting {n}.", hint=_near(n, SETTINGS), id="jobs.E012") for n in strange]


def _near(name: str, known: frozenset[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"There is {', '.join(sorted(known))}."


def declarations_fit(**_: Any) -> list[Error]:
    """Functions that cannot be jobs, each with its place; only `manage.py check` comes this far with one."""
    return [Error(text, hint=f"Declared in {place}.", id="jobs.E020") for text, place in kinds.refused]
