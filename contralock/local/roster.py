"""The processes of a whole ContraLock on one machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from contralock.local.ports import LOOPBACK, accepts
from contralock.local.processes import Process

BASE_DIR = Path(__file__).resolve().parent.parent.parent
CELERY = (sys.executable, "-m", "celery", "--quiet", "-A", "contralock")
KNOWN = "ignore:You're running the worker with superuser privileges,ignore::PendingDeprecationWarning"
"""Celery's advice, ten lines per worker and loss of the broker: do not be root, choose a setting we have chosen."""


def application(queues: Iterable[str], *, port: int, flower_port: int) -> Iterator[Process]:
    """Web, one worker per queue, the keeper (beat), Flower. Concurrency is the application's own setting."""
    yield _process("web", _gunicorn(port), ready=lambda: _answers(port))
    for queue in queues:
        name = ("-Q", queue, "-n", f"{queue}@%h")
        yield _process(queue, (*CELERY, "worker", *name, "--without-gossip", "--without-mingle"))
    yield _process("beat", (*CELERY, "beat", "--pidfile="))
    # Flower warns four times of every worker that is not up yet.
    flower = (*CELERY, "flower", f"--address={LOOPBACK}", f"--port={flower_port}")
    yield _process("flower", flower, env={"LOG_LEVEL": "ERROR"})


def mail_catcher(folder: Path, *, smtp_port: int, http_port: int) -> Process:
    """The mail server and its page."""
    program = (sys.executable, "-m", "contralock.local.mailcatcher")
    ports = (f"--smtp-port={smtp_port}", f"--http-port={http_port}", f"--dir={folder}")
    return _process("mail", (*program, *ports), ready=lambda: accepts(smtp_port) and accepts(http_port))


def local_stripe(folder: Path, *, port: int, site: str) -> Process:
    """The local Stripe, whose webhooks go to the site."""
    hooks = (f"--webhook={site}/api/webhooks/stripe", f"--connect-webhook={site}/api/webhooks/stripe/connect")
    program = (sys.executable, "-m", "payments.sandbox", f"--port={port}", f"--state={folder / 'stripe.json'}")
    return _process("stripe", (*program, *hooks, "--auto"), ready=lambda: accepts(port))


def module(name: str, *arguments: str) -> Process:
    """A module of this package that runs to its end."""
    return _process(name, (sys.executable, "-m", f"contralock.local.{name}", *arguments))


def _gunicorn(port: int) -> tuple[str, ...]:
    shared_memory = ("--worker-tmp-dir=/dev/shm",) if Path("/dev/shm").is_dir() else ()  # noqa: S108 - gunicorn's advice
    return (
        *(sys.executable, "-m", "gunicorn", "contralock.wsgi", f"--bind={LOOPBACK}:{port}", "--log-level=warning"),
        *("--worker-class=gthread", "--workers=1", "--threads=8", "--graceful-timeout=10", "--no-control-socket"),
        *shared_memory,
    )


def _process(
    name: str, argv: tuple[str, ...], *, env: dict[str, str] | None = None, ready: Callable[[], bool] | None = None
) -> Process:
    ours = {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": os.environ.get("PYTHONWARNINGS", KNOWN)}
    return Process(name, argv, env=os.environ | ours | (env or {}), cwd=BASE_DIR, ready=ready)


def _answers(port: int) -> bool:
    """Whether the site answers anything at all; the socket alone is there before the application."""
    connection = HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("HEAD", "/")
        connection.getresponse()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True
