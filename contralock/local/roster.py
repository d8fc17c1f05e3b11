"""The processes of a whole ContraLock on one machine."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path

from contralock.local.ports import LOOPBACK, accepts
from contralock.local.processes import Process

BASE_DIR = Path(__file__).resolve().parent.parent.parent
CELERY = (sys.executable, "-m", "celery", "-A", "contralock")


def application(queues: Iterable[str], *, port: int, flower_port: int) -> Iterator[Process]:
    """Web, one worker per queue, the keeper (beat), Flower. Concurrency is the application's own setting."""
    yield _process("web", _gunicorn(port), ready=lambda: _answers(port))
    for queue in queues:
        name = ("-Q", queue, "-n", f"{queue}@%h")
        yield _process(queue, (*CELERY, "worker", *name, "--without-gossip", "--without-mingle"))
    yield _process("beat", (*CELERY, "beat", "--pidfile="))
    yield _process("flower", (*CELERY, "flower", f"--address={LOOPBACK}", f"--port={flower_port}"))


def mail_catcher(folder: Path, *, smtp_port: int, http_port: int) -> Process:
    """The mail server and its page."""
    program = (sys.executable, "-m", "contralock.local.mailcatcher")
    ports = (f"--smtp-port={smtp_port}", f"--http-port={http_port}", f"--dir={folder}")
    return _process("mail", (*program, *ports), ready=lambda: accepts(smtp_port) and accepts(http_port))


def module(name: str, *arguments: str) -> Process:
    """A module of this package that runs to its end."""
    return _process(name, (sys.executable, "-m", f"contralock.local.{name}", *arguments))


def _gunicorn(port: int) -> tuple[str, ...]:
    shared_memory = ("--worker-tmp-dir=/dev/shm",) if os.path.isdir("/dev/shm") else ()  # noqa: S108 - gunicorn's advice
    return (
        *(sys.executable, "-m", "gunicorn", "contralock.wsgi", f"--bind={LOOPBACK}:{port}", "--log-level=warning"),
        *("--worker-class=gthread", "--workers=1", "--threads=8", "--graceful-timeout=10", "--no-control-socket"),
        *shared_memory,
    )


def _process(name: str, argv: tuple[str, ...], **more: object) -> Process:
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    return Process(name, argv, env=environment, cwd=BASE_DIR, **more)  # type: ignore[arg-type]


def _answers(port: int) -> bool:
    """Whether the site answers anything at all."""
    try:
        urllib.request.urlopen(f"http://{LOOPBACK}:{port}/api/", timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
