"""What `manage.py check` refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks

from jobs.checks import SETTINGS, queues_fit, settings_fit, settings_known

ROOT = Path(__file__).parents[2]


def test_the_projects_own_settings_fit() -> None:
    assert settings_fit() == queues_fit() == settings_known() == []
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
        ({"JOBS_SECRET_KEYS": ["short"]}, "jobs.E007"),
        ({"CELERY_BEAT_SCHEDULE": {"x": {}}}, "jobs.E011"),
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


def test_a_wrong_queue_comes_with_the_right_one(settings: Any) -> None:
    settings.JOBS_DEFAULT_QUEUE = "genral"
    (error,) = settings_fit()
    assert "Did you mean 'general'?" in str(error.hint)


@pytest.mark.parametrize(
    ("name", "policy", "id_", "said"),
    [
        ("email", {"concurrency": 1, "prefecth": 1}, "jobs.E008", "Did you mean prefetch?"),
        ("email", {"concurrency": 1}, "jobs.E008", "It takes concurrency and prefetch."),
        ("email", {"concurrency": 0, "prefetch": 1}, "jobs.E008", "prefetch 1 takes one message at a time."),
        ("email", {"concurrency": 1, "prefetch": 0}, "jobs.E008", "prefetch 1 takes one message at a time."),
        ("email", {"concurrency": "3", "prefetch": 1}, "jobs.E008", "prefetch 1 takes one message at a time."),
        ("email", {"concurrency": True, "prefetch": 1}, "jobs.E008", "prefetch 1 takes one message at a time."),
        ("e,mail", {"concurrency": 1, "prefetch": 1}, "jobs.E009", "celery worker -Q"),
        ("e" * 51, {"concurrency": 1, "prefetch": 1}, "jobs.E009", "50 at most"),
    ],
)
def test_a_queue_that_no_worker_could_serve_is_refused(
    name: str, policy: dict[str, Any], id_: str, said: str, settings: Any
) -> None:
    settings.JOBS_QUEUES = {name: policy}
    (error,) = queues_fit()
    assert error.id == id_
    assert said in str(error.hint)


def test_the_window_holds_at_least_what_a_worker_takes(settings: Any) -> None:
    settings.JOBS_QUEUES = {"email": {"concurrency": 4, "prefetch": 16}, "general": {"concurrency": 1, "prefetch": 1}}
    settings.JOBS_WINDOW = 64
    assert queues_fit() == []
    settings.JOBS_WINDOW = 63
    (error,) = queues_fit()
    assert (error.id, "(64)" in str(error.msg)) == ("jobs.E010", True)


def test_a_setting_that_nobody_reads_comes_with_the_one_that_was_meant(settings: Any) -> None:
    settings.JOBS_WINDWO = 10
    (error,) = settings_known()
    assert (error.id, error.hint) == ("jobs.E012", "Did you mean JOBS_WINDOW?")
    assert {name for name in dir(django_settings) if name.startswith("JOBS_")} - {"JOBS_WINDWO"} == set(SETTINGS)


def run_manage(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """manage.py, with an app of bad jobs among the project's."""
    (folder / "crooked").mkdir(exist_ok=True)
    (folder / "crooked/__init__.py").write_text("")
    (folder / "crooked/tasks.py").write_text(
        "from jobs import job\n\n\n"
        "@job(queue='emial')\ndef send(*, number: int) -> None:\n    'Safe.'\n\n\n"
        "@job()\ndef pay(number: int) -> None:\n    'Safe.'\n\n\n"
        "@job()\ndef good(*, number: int) -> None:\n    'Safe.'\n"
    )
    (folder / "crooked_settings.py").write_text(
        "from contralock.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, 'crooked']\n"
    )
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "DJANGO_SETTINGS_MODULE": "crooked_settings",
    }
    argv = (sys.executable, "manage.py", *argv)
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_check_names_every_bad_declaration_and_its_place(tmp_path: Path) -> None:
    done = run_manage(tmp_path, "check")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("jobs.E020") == 2
    assert "crooked.send: unknown queue 'emial'. Did you mean 'email'?" in done.stderr
    assert "Declared in crooked.tasks.pay." in done.stderr
    assert "keyword-only" in done.stderr


def test_whatever_else_is_started_stops_at_a_bad_declaration(tmp_path: Path) -> None:
    done = run_manage(tmp_path, "jobs", "stats")
    assert done.returncode != 0
    assert done.stderr.strip().splitlines()[-1].startswith("jobs.arguments.BadDeclaration: crooked.send: unknown queue")


def test_the_check_is_registered(settings: Any) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = True
    assert "jobs.E001" in [message.id for message in run_checks()]
