"""What `manage.py check` refuses."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks

from jobs.checks import settings_fit


def test_the_projects_own_settings_fit() -> None:
    assert settings_fit() == []
    assert [message for message in run_checks() if message.is_serious()] == []


@pytest.mark.parametrize(
    ("changes", "id_"),
    [
        ({"CELERY_TASK_ALWAYS_EAGER": True}, "jobs.E001"),
        ({"JOBS_LEASE": 3.9, "JOBS_HEARTBEAT": 1.0, "JOBS_TICK": 0.1}, "jobs.E002"),
        ({"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}}, "jobs.E003"),
        (
            {"DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"pool": True}}}},
            "jobs.E004",
        ),
        ({"JOBS_DEFAULT_QUEUE": "genral"}, "jobs.E005"),
        ({"JOBS_TICK": 2.0, "JOBS_LEASE": 15.9, "JOBS_HEARTBEAT": 1.0}, "jobs.E006"),
    ],
)
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_settings_that_would_lose_or_double_jobs_are_refused(settings: Any, changes: dict[str, Any], id_: str) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    (error,) = settings_fit()
    assert error.id == id_
    assert error.hint
    assert error.is_serious()


def test_settings_at_the_edge_are_allowed(settings: Any) -> None:
    settings.JOBS_LEASE, settings.JOBS_HEARTBEAT, settings.JOBS_TICK = 16.0, 4.0, 2.0
    assert settings_fit() == []


def test_the_check_is_registered(settings: Any) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = True
    assert "jobs.E001" in [message.id for message in run_checks()]
