"""pytest-celery's nodes on local processes instead of containers.

pytest-celery asks a container for a handful of members (id, name, status, logs, ready, kill, restart,
reload, teardown, celeryconfig). `Process` and `Server` have them, so that its own node, cluster and
setup classes run unchanged.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Any

from pytest_celery import CeleryTestBroker, CeleryTestNode, CeleryTestWorker

from contralock.local.valkey import Valkey
from tests.process import Process

CELERY = (sys.executable, "-m", "celery", "--quiet", "-A", "contralock")


class StoryNode(CeleryTestNode):
    """What workers and beat have in common."""

    container: Process

    def stop(self, limit: float = 10.0) -> int:
        """SIGTERM, and its exit code."""
        self.container.signal("SIGTERM")
        return self.container.wait(limit)

    def pause(self) -> None:
        """SIGSTOP: main process and children stand still where they are."""
        self.container.signal_group(SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.container.signal_group(SIGCONT)

    def start_again(self) -> None:
        """A new boot after its end."""
        self.container.start()
        self.container.ready()


class WorkerNode(StoryNode, CeleryTestWorker):
    """A `celery worker`."""

    def hostname(self) -> str:
        return f"{self.container.name}@{os.uname().nodename}"

    def children(self) -> list[int]:
        """Pids of its pool."""
        main = self.container.pid
        return [int(pid) for pid in Path(f"/proc/{main}/task/{main}/children").read_text().split()]

    def kill_child(self, pid: int) -> None:
        """SIGKILL to one process of its pool."""
        assert pid in self.children()
        os.kill(pid, SIGKILL)


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

    def kill(self, signal: str | int = "SIGKILL") -> None:
        self.valkey.kill() if signal in ("SIGKILL", 9) else self.valkey.stop()

    def restart(self, timeout: float = 10.0) -> None:
        self.valkey.restart()

    def reload(self) -> None: ...

    def teardown(self) -> None:
        """Left running for the next story."""


class BrokerNode(CeleryTestBroker):
    """The Valkey of this test process, the same for all its stories."""

    container: Server

    @property
    def valkey(self) -> Valkey:
        return self.container.valkey
