"""Clears up after a runner that was killed and could not do it itself.

    python -I -S deadman.py GRACE FILE...      with the runner's pipe on stdin

The runner tells the process groups it starts and ends (`+123`, `-123`). When the pipe closes, what
is left of them gets SIGTERM, after GRACE seconds SIGKILL, and the files are removed. After a clean
stop nothing is left and nothing is done. It also holds the runner's lock while it works.
Standard library only, no project import: it must be up before anything else is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO


class Deadman:
    """The runner's end: tell it what begins and ends, and dismiss it after a clean stop."""

    def __init__(self, *, grace: float = 3.0, files: Sequence[Path] = (), lock: int | None = None) -> None:
        words = [sys.executable, "-I", "-S", __file__, str(grace), *(str(file) for file in files)]
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
            text=True,
            pass_fds=() if lock is None else (lock,),
        )

    def begins(self, group: int) -> None:
        """A process group was started."""
        self._tell(f"+{group}")

    def ends(self, group: int) -> None:
        """A process group is gone."""
        self._tell(f"-{group}")

    def dismiss(self) -> None:
        """Close the pipe and wait until it has gone."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait(30)

    def _tell(self, word: str) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError, ValueError):
                self._process.stdin.write(f"{word}\n")
                self._process.stdin.flush()


def groups_left(words: Iterable[str]) -> set[int]:
    """The groups that were begun and not ended."""
    left: set[int] = set()
    for word in words:
        group = int(word[1:])
        (left.add if word.startswith("+") else left.discard)(group)
    return left


def clear(groups: set[int], grace: float) -> None:
    """SIGTERM to the leaders, who stop their own children; SIGKILL to the rest, after `grace` seconds at most."""
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.kill(group, signal.SIGTERM)
    deadline = time.monotonic() + grace
    waiting = set(groups)
    while waiting:
        over = time.monotonic() > deadline
        for group in [group for group in waiting if over or not is_there(group)]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
            waiting.discard(group)
        time.sleep(0.05)


def is_there(pid: int) -> bool:
    """Whether the process exists (a zombie does)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main(grace: str, files: Sequence[str], told: IO[str]) -> None:
    """Listen until the pipe closes, then clear."""
    for deaf in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(deaf, signal.SIG_IGN)
    if left := groups_left(line.strip() for line in told):
        clear(left, float(grace))
        for file in files:
            Path(file).unlink(missing_ok=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:], sys.stdin)
