"""`make run` as a whole, in a copy of the checkout, so that it disturbs no stack that runs here."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from contralock.local.alive import command_line, is_alive
from contralock.local.lock import AlreadyRunning, CheckoutLock
from contralock.local.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
CODE = ("contralock", "jobs", "notifications", "payments", "invoices", "manage.py")
UP = 90.0  # seconds; five on a quiet machine
# Nothing of the tests' own environment: servers named there would switch the launchers off.
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}


class Running:
    """A stack in its own process, with its output in a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command("run", "--no-demo"), cwd=folder, env=ENVIRONMENT, stdout=output, stderr=output
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_until_up(self) -> None:
        wait_until(
            lambda: "ContraLock is up" in self.said or self.process.poll() is not None,
            limit=UP,
            what=f"start: {self.said}",
        )
        assert self.process.poll() is None, self.said

    def family(self) -> list[int]:
        """All processes that descend from the runner."""
        parents = {int(path.name): parent(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
        found = [self.process.pid]
        for pid in found:
            found += [child for child, of in parents.items() if of == pid]
        return found[1:]

    def environment(self) -> dict[str, str]:
        lines = (self.folder / ".local" / "run.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "contralock.local", *arguments]


def parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A copy of the code; what a stack kept elsewhere for it is removed at the end."""
    for name in CODE:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, tmp_path / name)
    yield tmp_path
    assert call(tmp_path, "clean").returncode == 0


@pytest.fixture
def stack(checkout: Path) -> Iterator[Running]:
    running = Running(checkout)
    try:
        running.wait_until_up()
        yield running
    finally:
        if running.process.poll() is None:
            running.process.send_signal(signal.SIGINT)
            running.process.wait(40)


@pytest.mark.timeout(180)
def test_one_command_starts_everything_and_ctrl_c_leaves_nothing(stack: Running) -> None:
    told = stack.environment()
    with psycopg.connect(told["DATABASE_URL"]) as connection:
        rows = connection.execute("SELECT email FROM accounts_user WHERE is_superuser").fetchall()
    assert rows == [("operator@contralock.example",)]
    assert (stack.folder / ".local" / "run.env").stat().st_mode & 0o777 == 0o600
    password = (stack.folder / ".local" / "operator-password").read_text().strip()
    assert f"operator@contralock.example  {password}" in stack.said
    with urllib.request.urlopen(f"{told['SITE_URL']}/admin/login/", timeout=10) as page:
        assert page.status == 200

    second = call(stack.folder, "run")
    assert second.returncode == 1
    assert f"running in this checkout already (process {stack.process.pid})" in second.stderr
    assert len(second.stderr.splitlines()) == 1

    demo = call(stack.folder, "demo")
    assert demo.returncode == 0, demo.stdout + demo.stderr + stack.said
    assert "mail “" in demo.stdout

    family = stack.family()
    assert len(family) > 8, [command_line(pid) for pid in family]
    stack.process.send_signal(signal.SIGINT)
    assert stack.process.wait(40) == 0, stack.said
    assert [command_line(pid) for pid in family if is_alive(pid)] == []
    assert not (stack.folder / ".local" / "run.env").exists()
    assert not (stack.folder / ".local" / "run.pid").exists()


@pytest.mark.timeout(180)
def test_a_killed_runner_leaves_no_process_and_no_file(stack: Running) -> None:
    family = stack.family()
    stack.process.kill()
    stack.process.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in family), limit=15, what="end of the orphans")
    wait_until(lambda: not (stack.folder / ".local" / "run.env").exists(), limit=5, what="removal of run.env")
    assert not (stack.folder / ".local" / "run.pid").exists()


def test_a_checkout_is_locked_by_one_and_free_after_it(tmp_path: Path) -> None:
    with CheckoutLock(tmp_path), pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"), CheckoutLock(tmp_path):
        pytest.fail("locked twice")
    with CheckoutLock(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_make_run_with_debug_off_is_refused_in_one_line(checkout: Path) -> None:
    (checkout / ".env").write_text("DEBUG=false\n")
    refused = call(checkout, "run")
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "DEBUG is switched off here, and `make run` is for development: unset DEBUG."
    ]
    (checkout / ".env").unlink()


def test_a_port_that_is_taken_is_refused_in_one_line(checkout: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = call(checkout, "run", "--port", str(taken.getsockname()[1]))
    assert refused.returncode == 1
    assert "is taken" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
