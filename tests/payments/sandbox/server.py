"""The local Stripe as a real process on a free port, for tests of whatever talks to it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from payments.sandbox.control import Control
from payments.sandbox.options import KEY
from tests.process import Process

PROMPT = "Local Stripe on "


class LocalStripe:
    """One server process. `url` is for `base_addresses={"api": url}`, `control` orders what a test needs."""

    def __init__(self, folder: Path, *arguments: str, name: str = "local_stripe", port: int = 0) -> None:
        self._name, self._arguments, self._folder = name, arguments, folder
        self.key = KEY
        self.process = self._process(port)
        self.url = ""

    def start(self) -> Self:
        """It answers when this returns."""
        self.process.start()
        self.process.ready()
        found = re.search(re.escape(PROMPT) + r"(\S+)", self.process.logs())
        assert found, self.process.logs()
        self.url = found[1]
        return self

    @property
    def control(self) -> Control:
        return Control(self.url)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()

    def restart(self) -> None:
        """SIGKILL if it still runs, and start again on the same port with the same options."""
        port = self.port
        if self.process.running:
            self.process.kill()
        self.process = self._process(port)
        self.start()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        self.process.signal("SIGTERM")
        return self.process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.process.teardown()

    def _process(self, port: int) -> Process:
        argv = [sys.executable, "-m", "payments.sandbox", "--port", str(port), *self._arguments]
        log = self._folder / f"{self._name}.log"
        return Process(self._name, argv, env=dict(os.environ), log=log, prompt=PROMPT)


@pytest.fixture(scope="session")
def local_stripe_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStripe]:
    """One server for the whole run."""
    with LocalStripe(tmp_path_factory.mktemp("local_stripe")) as server:
        yield server


@pytest.fixture
def local_stripe(local_stripe_process: LocalStripe) -> LocalStripe:
    """The same server, begun anew for this test."""
    local_stripe_process.control.reset()
    return local_stripe_process
