"""Real servers for these tests; each is gone, with its data, when its test is over."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contralock.local.console import Console
from contralock.local.mailcatcher import MailCatcher
from contralock.local.postgres import Postgres
from contralock.local.processes import Runner
from contralock.local.valkey import Valkey

LIMIT = 20.0  # seconds any of these tests waits for anything


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    server = Postgres.throwaway()
    try:
        yield server.start()
    finally:
        server.destroy()


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    server = Valkey.throwaway()
    try:
        yield server.start()
    finally:
        server.destroy()


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[MailCatcher]:
    with MailCatcher(tmp_path / "mails") as caught:
        yield caught


@pytest.fixture
def screen() -> io.StringIO:
    """What the runner prints."""
    return io.StringIO()


@pytest.fixture
def make_runner(screen: io.StringIO) -> Iterator[Callable[..., Runner]]:
    runners: list[Runner] = []

    def make(**more: float) -> Runner:
        runners.append(Runner(Console(screen), **{"echo": 0.0} | more))  # type: ignore[arg-type]
        return runners[-1]

    yield make
    for runner in runners:
        runner.ask_to_stop()
        runner.ask_to_stop()
        runner.stop()
