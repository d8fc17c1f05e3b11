"""A local process that pytest-celery takes for a container."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Any

from contralock.local.leash import leashed
from contralock.local.waiting import wait_until

START_LIMIT = 30.0  # seconds; a worker takes two, on a busy machine many more


class Process:
    """A local process as pytest-celery sees a container. It dies with the test process."""

    def __init__(self, name: str, argv: Sequence[str], *, env: Mapping[str, str], log: Path, prompt: str) -> None:
        self.name = name
        self._argv = list(argv)
        # Bytecode of the project is written once and read by every later process.
        self._env = {k: v for k, v in env.items() if k != "PYTHONDONTWRITEBYTECODE"}
        self._log = log
        self._prompt = prompt
        self._begin = 0
        self._popen: subprocess.Popen[bytes] | None = None

    # ------------------------------------------------------------ what pytest-celery asks for
    @property
    def id(self) -> str:
        return str(self.pid)

    @property
    def status(self) -> str:
        return "running" if self.running else "exited"

    @property
    def celeryconfig(self) -> dict[str, Any]:
        return {}

    def logs(self) -> str:
        """What this boot wrote."""
        if not self._log.exists():
            return ""
        with self._log.open("rb") as log:
            log.seek(self._begin)
            return log.read().decode(errors="replace")

    def ready(self) -> bool:
        """Wait for the line that says so. Raises TimeoutError, or RuntimeError when it has ended instead."""

        def up() -> bool:
            if not self.running:
                raise RuntimeError(f"{self.name} ended while starting:\n{self.logs()[-4000:]}")
            return self._prompt in self.logs()

        try:
            wait_until(up, limit=START_LIMIT, what=f"start of {self.name}")
        except TimeoutError as error:
            raise TimeoutError(f"{error}:\n{self.logs()[-4000:]}") from None
        return True

    def kill(self, signal: str | int = "SIGKILL") -> None:
        """Send a signal to the main process; after SIGKILL also wait for its end."""
        self.signal(signal)
        if signal in ("SIGKILL", 9):
            self.wait()

    def restart(self, timeout: float = 10.0) -> None:
        """End it (SIGKILL after `timeout` seconds) and start it again."""
        self.signal("SIGTERM")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(timeout)
        self.teardown()
        self.start()
        self.ready()

    def reload(self) -> None:
        """Nothing: the process is asked, not a copy of its state."""

    def teardown(self) -> None:
        """SIGKILL to the whole group, stopped or not."""
        if self._popen is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, SIGKILL)
            self._popen.wait()

    # ------------------------------------------------------------ what our stories ask for beside that
    @property
    def pid(self) -> int:
        assert self._popen is not None, f"{self.name} was not started"
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def start(self) -> None:
        """Start, and not wait for anything."""
        self._begin = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._popen = subprocess.Popen(
                leashed(self._argv, on_death=SIGKILL),
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def signal(self, number: str | int) -> None:
        """To the main process only; nothing if it has ended."""
        if self.running:
            os.kill(self.pid, Signals[number] if isinstance(number, str) else number)

    def signal_group(self, number: Signals) -> None:
        """To the main process and its children."""
        os.killpg(self.pid, number)

    def wait(self, limit: float = 10.0) -> int:
        """Its exit code (negative: the signal). Raises TimeoutExpired."""
        assert self._popen is not None, f"{self.name} was not started"
        return self._popen.wait(limit)
