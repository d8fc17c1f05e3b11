"""`make bench-invoices`: PDFs per second of one core, against WeasyPrint as its documentation shows it.

Each contender is a process that has made itself ready and forks, as a worker does. They take turns, some PDFs at a
time, and what counts is each one's own processor time, because others work on the machine too. All draw the same
invoices, with the same data inside.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import IO, Any

from tests.benchmarks import machine
from tests.benchmarks.drawing import NAMES, OURS

WARM_UP = 30
"""PDFs until the memory is looked at for the first time."""
TURN = 10
"""PDFs that a contender draws before the next one does."""


@dataclass
class Turn:
    """PDFs in a row: seconds of the processor for each, and MB that the process had afterwards."""

    cpu: list[float]
    memory: float


@dataclass
class Figures:
    """A contender's; seconds and MB."""

    first: list[float]
    turns: list[Turn] = field(default_factory=list)

    @property
    def each(self) -> float:
        """Mean seconds of the processor per PDF, after the warm-up."""
        measured = [seconds for turn in self._measured for seconds in turn.cpu]
        return sum(measured) / len(measured)

    @property
    def growth(self) -> float:
        """MB per PDF, after the warm-up."""
        first, *others = self._measured
        return (self.turns[-1].memory - first.memory) / max(1, sum(len(turn.cpu) for turn in others))

    @property
    def _measured(self) -> list[Turn]:
        """The warm-up's last turn is where memory begins; a short run has no warm-up."""
        return self.turns[min(WARM_UP // TURN, len(self.turns) - 1) :]

    def line(self, name: str, ours: float) -> str:
        """For people."""
        first = f"{median(self.first):5.2f} s (worst {max(self.first):.2f})"
        return (
            f"{name:22} {1 / self.each:5.1f} PDFs/s per core, {self.each * 1000:4.0f} ms of CPU each "
            f"({self.each / ours:.2f} × ours), {self.growth:6.3f} MB more per PDF, first of a fresh child {first}"
        )


class Contender:
    """A process that draws when it is told to; a context manager."""

    def __init__(self, name: str, lines: int) -> None:
        self.name = name
        argv = [sys.executable, "-m", "tests.benchmarks.drawing", name, str(lines)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.figures = Figures(first=[])

    def __enter__(self) -> Contender:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe(self._process.stdin).close()
        self._process.wait()

    def first(self) -> None:
        """Have a fresh child draw one."""
        self.figures.first.append(self._ask("first")["seconds"])

    def draw(self, count: int) -> None:
        """Have the worker draw so many."""
        self.figures.turns.append(Turn(**self._ask(f"draw {count}")))

    def _ask(self, command: str) -> dict[str, Any]:
        to = self._pipe(self._process.stdin)
        to.write(f"{command}\n")
        to.flush()
        answer = self._pipe(self._process.stdout).readline()
        if not answer:
            raise RuntimeError(f"{self.name} ended with {self._process.wait()}")
        found: dict[str, Any] = json.loads(answer)
        return found

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        if pipe is None:
            raise RuntimeError("a process without pipes")
        return pipe


def run(pdfs: int, children: int, lines: int) -> dict[str, Figures]:
    """All contenders, in turn."""
    with ExitStack() as stack:
        contenders = [stack.enter_context(Contender(name, lines)) for name in NAMES]
        for _ in range(children):
            for contender in contenders:
                contender.first()
        for turn in range(max(1, pdfs // TURN)):
            for contender in contenders[:: -1 if turn % 2 else 1]:
                contender.draw(min(TURN, pdfs))
        return {contender.name: contender.figures for contender in contenders}


def main(argv: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench-invoices ARGS=…", description=__doc__)
    parser.add_argument("--pdfs", type=int, default=300, help="per contender (300)")
    parser.add_argument("--children", type=int, default=7, help="fresh ones, of which each draws one PDF (7)")
    parser.add_argument("--lines", type=int, default=1, help="of an invoice (1, as a released milestone's has)")
    options = parser.parse_args(argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contralock.settings")
    print(machine.facts())
    found = run(options.pdfs, options.children, options.lines)
    for name, figures in found.items():
        print(figures.line(name, found[OURS].each))
    return 0


if __name__ == "__main__":
    sys.exit(main())
