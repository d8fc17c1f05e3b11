"""What the verbs print: aligned text and JSON for pipes, tables and colour for a terminal."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from jobs.states import State


class Refused(Exception):
    """Something was not done; the text says what and why. `code` is the exit code: 1, or 2 for wrong usage."""

    def __init__(self, text: str, *, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


# A terminal's own sixteen colours: its owner chose them to be readable on its background.
LOOKS: dict[str, tuple[str, str]] = {
    State.WAITING: ("○", "default"),
    State.DELAYED: ("◷", "cyan"),
    State.ACTIVE: ("▶", "blue"),
    State.COMPLETED: ("✓", "green"),
    State.FAILED: ("✕", "red"),
    State.CANCELLED: ("⊘", "bright_black"),
    State.UNKNOWN: ("?", "magenta"),
    "ok": ("✓", "green"),
    "warn": ("!", "yellow"),
    "fail": ("✕", "bold red"),
}


class Output:
    """Where a verb writes. `terminal` says whether tables and colour are wanted."""

    def __init__(self, stream: Any, *, terminal: bool = False) -> None:
        self.terminal = terminal
        self._stream = stream

    def say(self, text: str) -> None:
        """Print lines of plain text."""
        self._write(printable(text))

    def json(self, value: Any) -> None:
        """Print one JSON document."""
        self._write(json.dumps(value, indent=2, default=str))

    def json_line(self, value: Any) -> None:
        """Print JSON on one line."""
        self._write(json.dumps(value, default=str))

    def table(self, head: Sequence[str], body: Iterable[Sequence[str]]) -> None:
        """Print a table. Cells are one line each; the column `state` is shown with its look on a terminal."""
        rows = [[printable(cell).replace("\n", " ") for cell in row] for row in body]
        if self.terminal:
            self.draw(_rich_table(head, rows))
        else:
            self._write(_aligned([list(head), *rows]))

    def draw(self, thing: RenderableType) -> None:
        """Print something of rich's; on a terminal only."""
        drawn = Console(file=io.StringIO(), force_terminal=True, highlight=False, width=self._width())
        drawn.print(thing, end="")
        self._write(drawn.file.getvalue().rstrip("\n"))  # type: ignore[attr-defined] # the StringIO above

    def _width(self) -> int:
        """The terminal's; 100 where that is not known."""
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 100
        except (OSError, ValueError, AttributeError):
            return 100

    def _write(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


def look(word: str, *, width: int = 0) -> Text:
    """A state or level as icon, word and colour."""
    icon, colour = LOOKS.get(word, (" ", "default"))
    return Text(f"{icon} {word:<{width}}", style=colour)


def printable(text: str) -> str:
    """Text without what would steer the reader's terminal: a job's error may hold anything."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _rich_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in head:
        table.add_column(name, overflow="ellipsis", no_wrap=True, min_width=36 if name == "id" else None)
    for row in rows:
        table.add_row(*(look(cell) if name == "state" else Text(cell) for name, cell in zip(head, row, strict=True)))
    return table


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
