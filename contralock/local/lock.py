"""One `make run` per checkout."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self


class AlreadyRunning(RuntimeError):
    """Another runner holds this checkout; the message says which."""


class CheckoutLock:
    """Holds the folder itself, so no lock file can be left behind; the kernel frees it with its holder."""

    def __init__(self, folder: Path) -> None:
        self.note = folder / "run.pid"
        self.descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    def __enter__(self) -> Self:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self.descriptor)
            raise AlreadyRunning(f"`make run` is running in this checkout already ({self._holder()}).") from None
        self.note.write_text(f"{os.getpid()}\n")
        return self

    def __exit__(self, *_: object) -> None:
        self.note.unlink(missing_ok=True)
        os.close(self.descriptor)

    def _holder(self) -> str:
        try:
            return f"process {int(self.note.read_text())}"
        except (OSError, ValueError):
            return "or it is being cleared up; try again in a few seconds"
