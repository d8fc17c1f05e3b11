"""The runner: real children, watched by their process ids."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from contralock.local.alive import is_alive
from contralock.local.processes import NotReady, Process, Runner
from contralock.local.waiting import wait_until

MakeRunner = Callable[..., Runner]
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
PARENT = (
    "import subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print('child', child.pid, flush=True); time.sleep(600)"
)


def python(name: str, program: str, **more: object) -> Process:
    return Process(name, [sys.executable, "-c", program], **more)  # type: ignore[arg-type]


def look_until(runner: Runner, condition: Callable[[], object], what: str, limit: float = 15) -> None:
    def looked() -> object:
        runner.look()
        return condition()

    wait_until(looked, limit=limit, what=what)


def number_after(word: str, screen: io.StringIO) -> int:
    return int(screen.getvalue().split(word)[1].split()[0])


def test_lines_come_with_the_name_of_their_process(make_runner: MakeRunner, screen: io.StringIO) -> None:
    runner = make_runner()
    assert runner.once(python("greeter", "print('hello'); print('world')")) == 0
    wait_until(lambda: "world" in screen.getvalue(), limit=5, what="lines")
    assert screen.getvalue().splitlines()[:2] == ["greeter   | hello", "greeter   | world"]


def test_a_killed_child_is_started_again_and_it_is_said(make_runner: MakeRunner, screen: io.StringIO) -> None:
    runner = make_runner()
    runner.start(python("sleeper", "import time; time.sleep(600)"))
    first = runner.pids()["sleeper"]
    os.kill(first, signal.SIGKILL)
    look_until(runner, lambda: runner.pids().get("sleeper", first) != first, "a new sleeper")
    assert "sleeper   | ended (signal 9 SIGKILL) after" in screen.getvalue()
    assert "again in 0.5 s" in screen.getvalue()


def test_a_child_that_keeps_failing_waits_longer_each_time(make_runner: MakeRunner, screen: io.StringIO) -> None:
    runner = make_runner()
    runner.start(python("failing", "raise SystemExit(3)"))
    look_until(runner, lambda: "again in 1 s" in screen.getvalue(), "a second failure")
    assert "ended (exit code 3)" in screen.getvalue()


def test_the_children_of_a_killed_child_do_not_outlive_it(make_runner: MakeRunner, screen: io.StringIO) -> None:
    runner = make_runner()
    runner.start(python("parent", PARENT))
    look_until(runner, lambda: "child" in screen.getvalue(), "a grandchild")
    grandchild = number_after("child", screen)
    os.kill(runner.pids()["parent"], signal.SIGKILL)
    look_until(runner, lambda: not is_alive(grandchild), "its end")


def test_stop_ends_everything_and_kills_who_does_not_listen(make_runner: MakeRunner, screen: io.StringIO) -> None:
    runner = make_runner(grace=0.5)
    runner.start(python("deaf", STUBBORN))
    runner.start(python("parent", PARENT))
    look_until(runner, lambda: "child" in screen.getvalue() and "| deaf" in screen.getvalue(), "both")
    pids = [*runner.pids().values(), number_after("child", screen)]
    runner.stop()
    wait_until(lambda: not any(is_alive(pid) for pid in pids), limit=5, what="end of all")
    assert "deaf      | killed: still there 0.5 s after SIGTERM" in screen.getvalue()
    assert "parent    | killed" not in screen.getvalue()


def test_a_second_call_to_stop_does_not_wait_for_the_grace(make_runner: MakeRunner, screen: io.StringIO) -> None:
    runner = make_runner(grace=60.0)
    runner.start(python("deaf", STUBBORN))
    look_until(runner, lambda: "| deaf" in screen.getvalue(), "the deaf one")
    began = time.monotonic()
    runner.ask_to_stop()
    runner.ask_to_stop()
    runner.stop()
    assert time.monotonic() - began < 5


def test_the_echo_of_a_signal_kills_nobody(make_runner: MakeRunner, screen: io.StringIO) -> None:
    runner = make_runner(grace=0.5, echo=60.0)
    runner.start(python("deaf", STUBBORN))
    look_until(runner, lambda: "| deaf" in screen.getvalue(), "the deaf one")
    runner.ask_to_stop()
    runner.ask_to_stop()
    runner.stop()
    assert "killed: still there 0.5 s after SIGTERM" in screen.getvalue(), "it was given its grace"


def test_a_gate_that_stays_shut_is_said_by_name(make_runner: MakeRunner) -> None:
    runner = make_runner()
    runner.start(python("slow", "import time; time.sleep(600)", ready=lambda: False, ready_limit=0.3))
    with pytest.raises(NotReady, match=r"slow is not ready after 0\.3 s"):
        runner.wait_ready()


def test_a_server_that_has_gone_is_brought_back(make_runner: MakeRunner, screen: io.StringIO) -> None:
    class Lamp:
        running = False

        def start(self) -> None:
            self.running = True

        def stop(self) -> None:
            self.running = False

    runner, lamp = make_runner(), Lamp()
    runner.keep("lamp", lamp)
    lamp.running = False
    look_until(runner, lambda: lamp.running, "light")
    assert "lamp      | has gone" in screen.getvalue()
    assert "lamp      | is back" in screen.getvalue()


RUNNER = """
import sys
from pathlib import Path
from contralock.local.console import Console
from contralock.local.processes import Process, Runner
runner = Runner(Console(), files=[Path(sys.argv[1])])
with runner.signals():
    runner.start(Process("parent", [sys.executable, "-c", sys.argv[2]]))
    runner.run()
    runner.stop()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_outlives_a_runner_whatever_ends_it(number: signal.Signals, tmp_path: Path) -> None:
    marker = tmp_path / "run.env"
    marker.touch()
    command = [sys.executable, "-c", RUNNER, str(marker), PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        grandchild = int(runner.stdout.readline().split()[-1])
        parent = int(Path(f"/proc/{grandchild}/stat").read_text().rsplit(")", 1)[1].split()[1])
        runner.send_signal(number)
        runner.wait(15)
    wait_until(lambda: not is_alive(grandchild) and not is_alive(parent), limit=10, what="end of all")
    if number == signal.SIGKILL:
        wait_until(lambda: not marker.exists(), limit=10, what="removal of the file")
