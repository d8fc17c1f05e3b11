"""Lines of many processes on one terminal, each behind the coloured name of its process."""

from __future__ import annotations

import errno
import itertools
import os
import sys
import threading
from pathlib import Path
from typing import IO

WIDTH = 10  # characters of a name
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


class Console:
    """Writes whole lines, from any thread. Colour only on a terminal and without $NO_COLOR.

    `terminal_gone` becomes true when a line finds the window closed. A reader that has gone
    (`make run | head`) is no error and no reason to stop.
    """

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stdout
        self.terminal_gone = False
        self._colours = self._stream.isatty() and not os.environ.get("NO_COLOR")
        self._lock = threading.Lock()
        self._next = itertools.cycle(COLOURS)
        self._of: dict[str, int] = {}

    def line(self, name: str, text: str) -> None:
        """One line of process `name`."""
        with self._lock:
            self._write(f"{self._prefix(name)} {text}\n")

    def block(self, text: str) -> None:
        """Lines without a name in front."""
        with self._lock:
            self._write(f"{text}\n")

    def strong(self, text: str) -> str:
        """`text` in bold where colours are shown."""
        return f"\033[1m{text}\033[0m" if self._colours else text

    def _prefix(self, name: str) -> str:
        label = f"{name:<{WIDTH}}|"
        if not self._colours:
            return label
        if name not in self._of:
            self._of[name] = next(self._next)
        return f"\033[{self._of[name]}m{label}\033[0m"

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError) as problem:
            self.terminal_gone = getattr(problem, "errno", 0) == errno.EIO
            self._stream = Path(os.devnull).open("w")  # noqa: SIM115 - for the rest of the process
