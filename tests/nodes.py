"""pytest-celery's nodes on local processes instead of containers.

pytest-celery asks a container for a handful of members (id, name, status, logs, ready, kill, restart,
reload, teardown, celeryconfig). `Process` and `Server` have them, so that its own node, cluster and
setup classes run unchanged.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from pytest_celery import CeleryTestBroker, CeleryTestNode, CeleryTestWorker

from contralock.local.leash import leashed
from contralock.local.valkey import Valkey
from contralock.local.waiting import wait_until

START_LIMIT = 15.0  # seconds; a worker takes two, on a busy machine many more


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

    def kill(self, signal: str | int = "SIGKILL") -> None:  # noqa: A002 - pytest-celery's name
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
                os.killpg(self._popen.pid, signal.SIGKILL)
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
                leashed(self._argv, on_death=signal.SIGKILL),
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def signal(self, number: str | int) -> None:
        """To the main process only; nothing if it has ended."""
        if self.running:
            os.kill(self.pid, signal.Signals[number] if isinstance(number, str) else number)

    def signal_group(self, number: signal.Signals) -> None:
        """To the main process and its children."""
        os.killpg(self.pid, number)

    def wait(self, limit: float = 10.0) -> int:
        """Its exit code (negative: the signal). Raises TimeoutExpired."""
        assert self._popen is not None, f"{self.name} was not started"
        return self._popen.wait(limit)


class StoryNode(CeleryTestNode):  # type: ignore[misc] - pytest-celery is untyped
    """What workers and beat have in common."""

    container: Process

    def stop(self, limit: float = 10.0) -> int:
        """SIGTERM, and its exit code."""
        self.container.signal("SIGTERM")
        return self.container.wait(limit)

    def pause(self) -> None:
        """SIGSTOP: main process and children stand still where they are."""
        self.container.signal_group(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.container.signal_group(signal.SIGCONT)

    def start_again(self) -> None:
        """A new boot after its end."""
        self.container.start()
        self.container.ready()


class WorkerNode(StoryNode, CeleryTestWorker):  # type: ignore[misc]
    """A `celery worker`."""

    def hostname(self) -> str:
        return f"{self.container.name}@{os.uname().nodename}"

    def children(self) -> list[int]:
        """Pids of its pool."""
        return [child.pid for child in psutil.Process(self.container.pid).children()]


class BeatNode(StoryNode):
    """A `celery beat`: scheduler and keeper."""


class Server:
    """Our Valkey as pytest-celery sees a container."""

    name = "valkey"

    def __init__(self, valkey: Valkey) -> None:
        self.valkey = valkey

    @property
    def id(self) -> str:
        return str(self.valkey.pid)

    @property
    def status(self) -> str:
        return "running" if self.valkey.running else "exited"

    @property
    def celeryconfig(self) -> dict[str, Any]:
        return {"url": self.valkey.url, "host_url": self.valkey.url}

    def logs(self) -> str:
        return self.valkey.log.read_text(errors="replace")

    def ready(self) -> bool:
        self.valkey.start()
        return True

    def kill(self, signal: str | int = "SIGKILL") -> None:  # noqa: A002 - pytest-celery's name
        self.valkey.kill() if signal in ("SIGKILL", 9) else self.valkey.stop()

    def restart(self, timeout: float = 10.0) -> None:
        self.valkey.restart()

    def reload(self) -> None: ...

    def teardown(self) -> None:
        """Left running for the next story."""


class BrokerNode(CeleryTestBroker):  # type: ignore[misc]
    """The Valkey of this test process, the same for all its stories."""

    container: Server

    @property
    def valkey(self) -> Valkey:
        return self.container.valkey


CELERY = (sys.executable, "-m", "celery", "--quiet", "-A", "contralock")
