"""How the verbs print: for a person's terminal, for a pipe, for a program."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.cli.arguments import pass_on
from jobs.cli.output import LOOKS, Output, look, printable
from jobs.states import State
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import make
from tests.jobs.shell import Answer, on_a_terminal

ROOT = Path(__file__).parents[2]


def drawn(cells: list[list[str]]) -> str:
    """A table on a terminal."""
    stream = io.StringIO()
    Output(stream, terminal=True).table(["id", "state"], cells)
    return stream.getvalue()


def test_every_state_has_an_icon_a_word_and_a_colour() -> None:
    assert set(State) <= set(LOOKS)
    assert len({icon for icon, _ in (LOOKS[state] for state in State)}) == len(State)
    assert str(look("failed")) == "✕ failed"
    text = drawn([["1", "failed"]])
    assert "✕ failed" in text
    assert "\x1b[31m" in text


def test_a_pipe_gets_aligned_columns_without_icons() -> None:
    stream = io.StringIO()
    Output(stream).table(["id", "state"], [["1", "failed"], ["22", "x"]])
    assert stream.getvalue() == "id  state\n1   failed\n22  x\n"


def test_a_table_without_rows_is_its_head() -> None:
    assert "state" in drawn([])


def test_brackets_in_a_cell_are_text() -> None:
    assert "[red]x[/red]" in drawn([["[red]x[/red]", "failed"]])


def test_control_characters_are_replaced() -> None:
    assert printable("a\x1b[31mb\nc\td\x07") == "a\ufffd[31mb\nc\td\ufffd"


@COMMITTED
def test_no_color_is_heeded_though_it_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    make()
    assert "\x1b[" in on_a_terminal("list").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in Answer("list", no_color=False).out


@pytest.mark.parametrize(("settings", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_real_terminal_gets_colour_unless_it_is_unwanted(settings: dict[str, str], coloured: bool) -> None:
    script = (
        "import django; django.setup();"
        "from jobs.management.commands.jobs import Command; from jobs import cli;"
        "cli.VERBS['stats'] = lambda options, out: out.table(['state'], [['failed']]);"
        "Command().run_from_argv(['manage.py', 'jobs', 'stats'])"
    )
    main, side = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | settings
    subprocess.run([sys.executable, "-c", script], stdout=side, cwd=ROOT, env=environment, check=True)
    os.close(side)
    text = os.read(main, 10_000).decode()
    os.close(main)
    assert ("\x1b[31m" in text) is coloured
    assert "failed" in text


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    script = (
        "import django; django.setup(); from jobs.management.commands.jobs import Command; from jobs import cli;"
        "cli.VERBS['stats'] = lambda options, out: [out.say('x' * 1000) for _ in range(1000)];"
        "Command().run_from_argv(['manage.py', 'jobs', 'stats'])"
    )
    command = f'{sys.executable} -c "{script}" | head -n 1'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_follows_worker_is_celerys() -> None:
    argv = ["manage.py", "jobs", "worker", "-Q", "email", "--reload", "-n", "x@%h", "-c", "1"]
    assert pass_on(argv) == ["manage.py", "jobs", "worker", "--reload", "--", "-Q", "email", "-n", "x@%h", "-c", "1"]
    other = ["manage.py", "jobs", "list", "--queue", "email"]
    assert pass_on(other) == other


def test_without_reload_the_process_becomes_celerys_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, argv: became.append(argv))
    from jobs.management.commands.jobs import Command

    Command().run_from_argv(["manage.py", "jobs", "worker", "-Q", "email"])
    assert became == [[sys.executable, "-m", "celery", "-A", "contralock", "worker", "-Q", "email"]]
