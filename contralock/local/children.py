"""What a runner looks after: programs it started, and servers it keeps up."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from contralock.local.backoff import RestartBackoff
from contralock.local.console import Console
from contralock.local.deadman import Deadman
from contralock.local.leash import leashed


@dataclass(frozen=True)
class Process:
    """One program to run. `ready` is asked until true, for `ready_limit` seconds at most."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    ready: Callable[[], bool] | None = None
    ready_limit: float = 30.0


class Child:
    """A process in a session of its own: started, started again, buried with all it left behind."""

    def __init__(self, process: Process, console: Console, deadman: Deadman) -> None:
        self.process = process
        self.console = console
        self.deadman = deadman
        self.backoff = RestartBackoff()
        self.popen: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.start_again_at = 0.0

    @property
    def lives(self) -> bool:
        """Whether it runs now."""
        return self.popen is not None and self.popen.poll() is None

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start it, its lines going to the console."""
        self.started = time.monotonic()
        self.popen = subprocess.Popen(
            leashed(self.process.argv, on_death=signal.SIGTERM),
            env=None if self.process.env is None else dict(self.process.env),
            cwd=self.process.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.deadman.begins(self.popen.pid)
        threading.Thread(target=self._relay, args=(self.popen,), daemon=True).start()
        return self.popen

    def look(self, now: float) -> None:
        """Start it again when it has died and its pause is over."""
        if self.popen is None:
            if now >= self.start_again_at:
                self.spawn()
        elif (code := self.popen.poll()) is not None:
            self.bury()
            lived = now - self.started
            pause = self.backoff.next(lived)
            self.start_again_at = now + pause
            self.console.line(self.process.name, f"ended ({cause(code)}) after {lived:.1f} s; again in {pause:g} s")

    def terminate(self) -> None:
        """SIGTERM to the leader only: it knows how to stop its own children."""
        if self.popen is not None:
            self.popen.terminate()

    def bury(self) -> None:
        """Kill what is left of its group: a dead leader's children work for nobody."""
        if self.popen is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        self.deadman.ends(self.popen.pid)
        self.popen = None

    def _relay(self, popen: subprocess.Popen[bytes]) -> None:
        if popen.stdout is not None:
            with popen.stdout as lines:
                for line in lines:
                    self.console.line(self.process.name, line.decode(errors="replace").rstrip())


class Server(Protocol):
    """What is kept up and stopped last: PostgreSQL, Valkey."""

    @property
    def running(self) -> bool: ...
    def start(self) -> object: ...
    def stop(self) -> None: ...


@dataclass
class Kept:
    """A server, started again when it has gone."""

    name: str
    server: Server
    console: Console
    backoff: RestartBackoff = field(default_factory=RestartBackoff)
    started: float = field(default_factory=time.monotonic)
    start_again_at: float = 0.0

    def look(self, now: float) -> None:
        """Start it again when it has gone and its pause is over; a failure is said and tried again."""
        if self.server.running:
            self.start_again_at = 0.0
        elif not self.start_again_at:
            self.start_again_at = now + self.backoff.next(now - self.started)
            self.console.line(self.name, f"has gone; again in {self.start_again_at - now:g} s")
        elif now >= self.start_again_at:
            self.started, self.start_again_at = now, 0.0
            try:
                self.server.start()
            except Exception as problem:  # noqa: BLE001 - whatever it is, the others stay up
                self.console.line(self.name, str(problem))
            else:
                self.console.line(self.name, "is back")


def cause(code: int) -> str:
    """Why a process ended, in words: `exit code 1`, `signal 9 SIGKILL`."""
    return f"exit code {code}" if code >= 0 else f"signal {-code} {signal.Signals(-code).name}"
