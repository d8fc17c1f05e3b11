"""What `manage.py check` refuses about the engine's settings. Ids are never used for anything else."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import Error
from django.core.checks import register as register_check


def is_fernet_key(text: str) -> bool:
    """Whether `text` is 32 bytes in URL-safe base64."""
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


def register() -> None:
    """Called when the app is ready."""
    register_check(settings_fit)


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
            f"Use one of {', '.join(settings.JOBS_QUEUES)}.",
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
    ]
    return [Error(message, hint=hint, id=id_) for wrong, message, hint, id_ in found if wrong]
