"""Processes of a contender: started on a leash, watched in /proc, killed as a group."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from contralock.local.leash import leashed

TICKS = os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """Process ids of `root` and all that descend from it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_seconds(root: int) -> float:
    """Processor time that `root` and its living descendants have used so far."""
    return sum((int(f[11]) + int(f[12])) / TICKS for pid in tree(root) if (f := _stat(pid)))


def memory(root: int) -> float:
    """MB that `root` and its descendants take, pages they share counted once (PSS)."""
    total = 0
    for pid in tree(root):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                total += int(line.split()[1]) if line.startswith("Pss:") else 0
    return total / 1024


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat behind the name: state, parent …; None when it has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None


class Spawned:
    """A process with its output in a file."""

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str], log: Path, pipes: bool = False) -> None:
        self.log = log
        pipe = subprocess.PIPE if pipes else None
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                leashed(argv, on_death=signal.SIGKILL),
                env=dict(env),
                stdin=pipe or subprocess.DEVNULL,
                stdout=pipe or output,
                stderr=output,
                text=True,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Of its main process."""
        return self.popen.pid

    def check(self) -> None:
        """Raises RuntimeError with its log's end when it has ended."""
        if self.popen.poll() is not None:
            raise RuntimeError(f"{self.log.stem} ended: {self.log.read_text(errors='replace')[-2000:]}")

    def kill(self) -> None:
        """End the whole group at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Driver(Spawned):
    """A process that adds jobs on order (tests/benchmarks/driver.py)."""

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str], log: Path) -> None:
        super().__init__(argv, env=env, log=log, pipes=True)
        self._answer()

    def order(self, order: str, count: int) -> dict[str, Any]:
        """Carry out an order; the answer has `seconds`, and `ms` where latencies were asked for."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(json.dumps({"order": order, "n": count}) + "\n")
        self.popen.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.popen.stdout is not None
        while line := self.popen.stdout.readline():
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        self.popen.wait()
        raise RuntimeError(f"{self.log.stem} ended: {self.log.read_text(errors='replace')[-2000:]}")
