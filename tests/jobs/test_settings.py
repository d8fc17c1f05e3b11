"""The settings from the environment, and the production ones through Django's own check."""

from __future__ import annotations

import os
import runpy
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from kombu.connection import Connection

from contralock.celery import app
from tests.jobs.conftest import Broker

ROOT = Path(__file__).parents[2]
SECRET = "a-secret-of-its-own-" + "0123456789abcdefghij" * 3
PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": SECRET,
    "ALLOWED_HOSTS": "contralock.example",
    "CSRF_TRUSTED_ORIGINS": "https://contralock.example",
}
NAMES = ("DATABASE_URL", "REDIS_URL", "JOBS_LEASE", "JOBS_HEARTBEAT", "JOBS_TICK", "JOBS_DRILL", "QUEUE_BACKOFF_DELAY")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`read(NAME=value, …)`: the settings module under this environment and nothing else of ours."""

    def settings(**environment: str) -> dict[str, Any]:
        with monkeypatch.context() as this:
            for name in (*NAMES, "DEBUG", "SECRET_KEY"):
                this.delenv(name, raising=False)
            for name, value in environment.items():
                this.setenv(name, value)
            return runpy.run_path(str(ROOT / "contralock" / "settings.py"))

    return settings


def run(*argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, as production starts it."""
    kept = {name: value for name, value in os.environ.items() if name not in (*NAMES, "DEBUG", "SECRET_KEY")}
    return subprocess.run(
        [sys.executable, *argv],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# ---------------------------------------------------------------- production
def test_production_passes_djangos_deployment_check_without_an_issue() -> None:
    platform = {"PLATFORM_ADDRESS": "Musterstraße 1", "PLATFORM_CITY": "Berlin", "PLATFORM_COUNTRY": "DE"}
    done = run("manage.py", "check", "--deploy", "--fail-level", "DEBUG", **PRODUCTION, **platform)
    assert (done.returncode, "no issues" in done.stdout) == (0, True), done.stderr


def test_production_without_a_secret_does_not_start() -> None:
    done = run("manage.py", "check", **PRODUCTION | {"SECRET_KEY": ""})
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


@pytest.mark.parametrize("secret", ["", "development-only-secret-never-used-in-production-0123456789"])
def test_production_refuses_no_secret_and_the_known_one(read: Any, secret: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="put a random one into the environment"):
        read(**PRODUCTION | {"SECRET_KEY": secret})


def test_production_is_the_default(read: Any) -> None:
    found = read(SECRET_KEY=SECRET)
    assert (found["DEBUG"], found["ALLOWED_HOSTS"]) == (False, [])
    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]
    assert found["SECURE_SSL_REDIRECT"]
    assert found["SECURE_PROXY_SSL_HEADER"] is None, "no header is believed unasked"
    assert not found["JOBS_DRILL"], "nobody crashes production on demand"
    assert found["EMAIL_USE_TLS"]


def test_development_needs_no_secret(read: Any) -> None:
    found = read(DEBUG="true")
    assert found["DEBUG"]
    assert found["SECRET_KEY"]
    assert not found["SECURE_SSL_REDIRECT"]


# ---------------------------------------------------------------- the broker
@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, "redis://localhost:6379/0"),
        ({"REDIS_HOST": "cache", "REDIS_PORT": "6380"}, "redis://cache:6380/0"),
        ({"REDIS_PASSWORD": "p@ss:w/rd?#%"}, "redis://:p%40ss%3Aw%2Frd%3F%23%25@localhost:6379/0"),
        ({"REDIS_TLS": "true", "REDIS_HOST": "cache"}, "rediss://cache:6379/0"),
        ({"REDIS_URL": "redis://elsewhere:1/2", "REDIS_HOST": "cache"}, "redis://elsewhere:1/2"),
    ],
)
def test_the_broker_is_put_together_from_the_seeds_names(read: Any, environment: dict[str, str], url: str) -> None:
    assert read(**PRODUCTION, **environment)["CELERY_BROKER_URL"] == url


def test_a_difficult_password_arrives_as_it_was_set(read: Any) -> None:
    url = read(**PRODUCTION, REDIS_PASSWORD="p@ss:w/rd?#%", REDIS_HOST="cache")["CELERY_BROKER_URL"]
    with Connection(url) as connection:  # type: ignore[no-untyped-call]
        assert (connection.password, connection.hostname, connection.port) == ("p@ss:w/rd?#%", "cache", 6379)


def test_tls_verifies_certificates_unless_told_otherwise(read: Any) -> None:
    strict = read(**PRODUCTION, REDIS_TLS="true")["CELERY_BROKER_USE_SSL"]
    assert (strict["ssl_cert_reqs"], strict["ssl_check_hostname"]) == (ssl.CERT_REQUIRED, True)
    assert read(**PRODUCTION, REDIS_URL="rediss://cache/0")["CELERY_BROKER_USE_SSL"]["ssl_check_hostname"] is True
    ours = read(**PRODUCTION, REDIS_TLS="true", REDIS_TLS_CA="/etc/ca.pem")["CELERY_BROKER_USE_SSL"]
    assert ours["ssl_ca_certs"] == "/etc/ca.pem"
    lax = read(**PRODUCTION, REDIS_TLS="true", REDIS_TLS_VERIFY="false")["CELERY_BROKER_USE_SSL"]
    assert (lax["ssl_cert_reqs"], lax["ssl_check_hostname"]) == (ssl.CERT_NONE, False)
    assert "CELERY_BROKER_USE_SSL" not in read(**PRODUCTION)


def test_the_transport_options_reach_the_connections_of_this_process(broker: Broker) -> None:
    options = app.conf.broker_transport_options
    wanted = {"ack_emulation": False, "max_retries": 0, "queue_order_strategy": "priority", "socket_keepalive": True}
    assert wanted.items() <= options.items()
    assert options["priority_steps"] == list(range(10))
    assert (options["health_check_interval"], options["socket_connect_timeout"] <= 2) == (5, True)
    channel = app.connection_for_write().default_channel
    assert channel.priority_steps == list(range(10))
    assert channel.ack_emulation is False
    assert channel.connection.client.transport_options["socket_timeout"] == 1.0
    assert app.pool.connection.transport_options == options


def test_celery_stores_no_results_and_guesses_no_queues() -> None:
    assert (app.conf.result_backend, app.conf.result_expires, app.conf.task_ignore_result) == (None, None, True)
    assert (app.conf.task_acks_late, app.conf.task_create_missing_queues) == (False, False)
    assert app.conf.accept_content == ["json"]
    assert sorted(app.amqp.queues) == ["email", "general", "invoice", "payment"]
    assert app.conf.broker_connection_max_retries is None
    assert app.conf.task_soft_time_limit is None


# ---------------------------------------------------------------- the seed's names for queues
def test_the_seeds_names_keep_their_meaning(read: Any) -> None:
    defaults = read(**PRODUCTION)
    assert {name: queue["concurrency"] for name, queue in defaults["JOBS_QUEUES"].items()} == {
        "email": 3,
        "payment": 2,
        "invoice": 2,
        "general": 1,
    }
    assert (defaults["JOBS_MAX_ATTEMPTS"], defaults["JOBS_BACKOFF"]) == (3, 2.0)
    assert (defaults["JOBS_KEEP_COMPLETED"], defaults["JOBS_KEEP_FAILED"]) == (100, 50)
    assert (defaults["JOBS_LEASE"], defaults["JOBS_HEARTBEAT"], defaults["JOBS_TICK"]) == (12, 3, 1)
    found = read(
        **PRODUCTION,
        QUEUE_RETRY_ATTEMPTS="7",
        QUEUE_BACKOFF_DELAY="500",
        QUEUE_REMOVE_ON_COMPLETE="1",
        QUEUE_REMOVE_ON_FAIL="2",
        QUEUE_DEFAULT_CONCURRENCY="9",
        QUEUE_EMAIL_CONCURRENCY="8",
    )
    assert (found["JOBS_MAX_ATTEMPTS"], found["JOBS_BACKOFF"]) == (7, 0.5)
    assert (found["JOBS_KEEP_COMPLETED"], found["JOBS_KEEP_FAILED"]) == (1, 2)
    assert (found["JOBS_QUEUES"]["email"]["concurrency"], found["JOBS_QUEUES"]["invoice"]["concurrency"]) == (8, 9)


def test_postgresql_has_limits_for_every_way_to_hang(read: Any) -> None:
    options = read(**PRODUCTION)["DATABASES"]["default"]["OPTIONS"]
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        assert f"-c {name}=" in options["options"]
    assert options["connect_timeout"] == 5
    assert options["tcp_user_timeout"] == 10_000
    url = "postgres://u:p@h/d?sslmode=require"
    assert read(**PRODUCTION, DATABASE_URL=url)["DATABASES"]["default"]["OPTIONS"]["sslmode"] == "require"


# ---------------------------------------------------------------- the command line
def test_a_worker_for_a_queue_that_does_not_exist_does_not_start() -> None:
    done = run(
        *("-m", "celery", "-A", "contralock", "worker", "-Q", "emial"),
        DEBUG="true",
        REDIS_URL="redis://127.0.0.1:1/0",
        DATABASE_URL="postgres://u:p@127.0.0.1:1/d",
    )
    assert done.returncode != 0
    assert "emial" in done.stdout + done.stderr


def test_a_usage_error_of_the_command_line_is_exit_code_two() -> None:
    done = run("manage.py", "jobs", "pause", "email", DEBUG="true")
    assert done.returncode == 2
    assert "--reason" in done.stderr
