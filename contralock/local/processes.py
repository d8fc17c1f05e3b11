"""Runs the processes of a development machine: prefixed output, restarts, readiness, a clean end.

Call everything from one thread that stays (the main one): the children are told to end when it does.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from contralock.local.children import Child, Kept, Process, Server
from contralock.local.console import Console
from contralock.local.deadman import Deadman

__all__ = ["NotReady", "Process", "Runner", "Server"]

LOOK = 0.1  # seconds between two looks at the children
ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class NotReady(RuntimeError):
    """A process did not become ready within its limit."""


class Runner:
    """Starts processes, starts them again when they die, and stops all of them.

    `grace`: seconds from SIGTERM to SIGKILL. `echo`: seconds in which a second signal is taken for the
    first: make passes on what the process group got already. `files` are removed if this process is killed
    itself; `lock` is a descriptor held until that is done.
    """

    def __init__(
        self,
        console: Console,
        *,
        grace: float = 25.0,
        echo: float = 1.0,
        files: Sequence[Path] = (),
        lock: int | None = None,
    ) -> None:
        self.console = console
        self.echo = echo
        self.grace = grace
        self.stopping = False
        self._killing = False
        self._asked_at = 0.0
        self._children: list[Child] = []
        self._servers: list[Kept] = []
        self._deadman = Deadman(files=files, lock=lock)

    # ------------------------------------------------------------ verbs
    def keep(self, name: str, server: Server) -> None:
        """Start a server and keep it up; the last kept is the first stopped, after all processes."""
        server.start()
        self._servers.append(Kept(name, server, self.console))

    def start(self, process: Process) -> None:
        """Start a process; it is started again whenever it ends before `stop()`."""
        self._children.append(Child(process, self.console, self._deadman))
        self._children[-1].spawn()

    def once(self, process: Process) -> int:
        """Run a process to its end and return its exit code; a stop asked for meanwhile ends it early."""
        child = Child(process, self.console, self._deadman)
        popen = child.spawn()
        while (code := popen.poll()) is None and not self.stopping:
            self.look()
            time.sleep(LOOK / 2)
        if code is None:
            self._end([child])
        child.bury()
        return popen.wait()

    def wait_ready(self) -> bool:
        """Wait for every gate; False when a stop was asked for meanwhile. Raises NotReady."""
        began = time.monotonic()
        for process in [child.process for child in self._children]:
            while process.ready is not None and not process.ready():
                if self.stopping:
                    return False
                if time.monotonic() - began > process.ready_limit:
                    raise NotReady(f"{process.name} is not ready after {process.ready_limit:g} s; its lines are above")
                self.look()
                time.sleep(LOOK)
        return not self.stopping

    def run(self) -> None:
        """Look after everything until a stop is asked for, or the window is closed."""
        while not self.stopping and not self.console.terminal_gone:
            self.look()
            time.sleep(LOOK)

    def look(self) -> None:
        """One look: start again what has died and whose pause is over."""
        now = time.monotonic()
        for kept in self._servers:
            kept.look(now)
        for child in self._children:
            child.look(now)

    def ask_to_stop(self, *_: object) -> None:
        """A signal handler: the first call asks, a later one kills.

        A signal to the process group comes twice: make passes its own on.
        """
        now = time.monotonic()
        self._killing = self.stopping and now - self._asked_at >= self.echo
        if not self.stopping:
            self._asked_at = now
        self.stopping = True

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Ctrl-C, SIGTERM and SIGHUP ask to stop while the block runs."""
        before = {number: signal.signal(number, self.ask_to_stop) for number in ASKING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Stop all processes side by side, then the servers one by one; returns when nothing is left."""
        self.stopping = True
        self._end(self._children)
        for kept in reversed(self._servers):
            kept.server.stop()
        self._deadman.dismiss()

    def pids(self) -> dict[str, int]:
        """Process ids by name, of those that run."""
        return {child.process.name: child.popen.pid for child in self._children if child.popen and child.lives}

    # ------------------------------------------------------------ steps
    def _end(self, children: Sequence[Child]) -> None:
        for child in children:
            child.terminate()
        deadline = time.monotonic() + self.grace
        while any(child.lives for child in children) and time.monotonic() < deadline and not self._killing:
            time.sleep(0.02)
        for child in children:
            if child.lives:
                why = "asked twice" if self._killing else f"still there {self.grace:g} s after SIGTERM"
                self.console.line(child.process.name, f"killed: {why}")
            child.bury()
