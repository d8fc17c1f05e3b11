"""`manage.py jobs worker --reload`: a worker that is started anew when a Python file changes. For development.

The watcher stays and the worker comes and goes. Django's own arrangement (run_with_reloader) loads the new code in
the watcher too, and so ends at the first typing error that is saved.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from django.apps import apps
from django.utils.autoreload import StatReloader

from jobs.cli.output import Output

WARM, COLD = 20.0, 5.0
"""Seconds that a worker may take to finish its running jobs, and then to let go of them (no attempt is spent)."""
PR_SET_PDEATHSIG = 1


class Watcher(StatReloader):
    """Notes which files changed. Looks once a second."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: list[Path] = []
        for config in apps.get_app_configs():
            if not Path(config.path).is_relative_to(sys.prefix):
                self.watch_dir(config.path, "**/*.py")  # also what only the worker has imported

    def notify_file_changed(self, path: str | os.PathLike[str]) -> None:
        """Called for each changed file."""
        self.changed.append(Path(path))


class Child:
    """The worker."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, in a process group of its own: Ctrl-C is for the watcher, who passes on one clear signal."""
        dies_with_us = _dies_with(os.getpid())
        self._popen = subprocess.Popen(self._command, process_group=0, preexec_fn=dies_with_us)  # noqa: PLW1509 - one thread

    @property
    def ended(self) -> int | None:
        """Its exit code, if it has ended by itself."""
        return self._popen.poll() if self._popen else None

    def stop(self) -> None:
        """Stop it warmly, else coldly, else at once. A second Ctrl-C does not wait for the next step."""
        for number, patience in ((signal.SIGTERM, WARM), (signal.SIGQUIT, COLD), (signal.SIGKILL, None)):
            if self._popen is None:
                return
            try:
                self._popen.send_signal(number)
                self._popen.wait(patience)
                self._popen = None
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                continue


def keep(command: list[str], out: Output) -> None:
    """Run the worker until Ctrl-C, SIGTERM or SIGHUP; anew after each change."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    child, watcher = Child(command), Watcher()
    mourned = False
    try:
        child.start()
        for _ in watcher.tick():
            if watcher.changed:
                out.say(f"{_named(watcher.changed)} changed: the worker is started anew")
                watcher.changed.clear()
                child.stop()
                child.start()
                mourned = False
            elif child.ended is not None and not mourned:
                out.say(f"the worker ended (exit code {child.ended}); it is started at the next change")
                mourned = True
    except KeyboardInterrupt:
        pass
    finally:
        child.stop()


def _named(changed: list[Path]) -> str:
    first = changed[0].relative_to(Path.cwd()) if changed[0].is_relative_to(Path.cwd()) else changed[0]
    return f"{first} and {len(changed) - 1} more" if len(changed) > 1 else str(first)


def _dies_with(parent: int) -> Callable[[], None] | None:
    """What the worker does before it begins: ask the kernel for SIGTERM when the watcher is gone, even by SIGKILL."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:  # it died before the request was in place
            os._exit(1)

    return ask
