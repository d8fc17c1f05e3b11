"""`manage.py jobs worker --reload`: a saved file is a clean restart, and nothing is left behind by any end."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM

import pytest

from contralock.local.waiting import wait_until
from jobs.drill import drill
from jobs.models import Worker
from tests.acceptance.history import job, outcomes, wait_completed, wait_for_state
from tests.nodes import BeatNode
from tests.process import Process

ROOT = Path(__file__).parents[2]
LIMIT = 30.0


class Watched:
    """A copy of the project, and a worker of it that is started anew at each change."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        for name in ("contralock", "invoices", "jobs", "notifications", "payments"):
            shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "manage.py", home)
        self.file = home / "jobs/drill.py"
        self.text = self.file.read_text()
        options = ("-Q", "general", "-n", "reloaded@%h", "-l", "INFO", "--without-gossip", "--without-mingle")
        argv = (sys.executable, str(home / "manage.py"), "jobs", "worker", *options, "--reload")
        env = environment | {"PYTHONPATH": str(home)}
        self.process = Process("watcher", argv, env=env, log=home / "watcher.log", prompt=" ready.")

    def start(self) -> None:
        """And wait for the worker."""
        self.process.start()
        self.process.ready()

    def save(self, text: str, *, boots: int) -> None:
        """Save the file, and wait until the so-manieth worker is ready."""
        self.file.write_text(text)
        self.wait_for(lambda logs: logs.count(" ready.") >= boots, f"worker {boots}")

    def wait_for(self, seen: Callable[[str], bool], what: str) -> None:
        """Until the log says so."""
        wait_until(lambda: seen(self.process.logs()), limit=LIMIT, what=what)

    def edited(self, payload: str) -> str:
        """The file, with a drill that returns this."""
        return self.text.replace("return payload", f"return {payload!r}")

    def family(self) -> list[int]:
        """The worker's main process and its children."""
        return [pid for main in children(self.process.pid) for pid in (main, *children(main))]


def children(pid: int) -> list[int]:
    """Pids."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pids: list[int]) -> list[int]:
    """Those that still run; one that nobody has waited for does not."""
    found = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            continue
        found += [pid] if state != "Z" else []
    return found


@pytest.fixture
def watched(celery_broker: object, environment: dict[str, str], tmp_path: Path) -> Iterator[Watched]:
    """Running; whatever is left of it is killed."""
    found = Watched(tmp_path, environment)
    found.start()
    family = found.family()
    yield found
    family += found.family() if found.process.running else []
    print(found.process.logs()[-6000:])
    found.process.teardown()
    for pid in alive(family):
        os.kill(pid, SIGKILL)


def test_two_edits_are_two_clean_restarts_with_the_new_code(watched: Watched, beat: BeatNode) -> None:
    results = []
    for boots, word in ((2, "edited once"), (3, "edited for the second time")):
        before = watched.family()
        watched.save(watched.edited(word), boots=boots)
        assert alive(before) == []
        handle = drill.delay()
        wait_completed([handle])
        results.append(job(handle).result)
    assert results == ["edited once", "edited for the second time"]
    assert watched.process.logs().count("drill.py changed: the worker is started anew") == 2
    left = Worker.objects.exclude(stopped_at=None).values_list("stopping", flat=True)
    assert (list(left), Worker.objects.filter(stopped_at=None).count()) == ([True, True], 1)


def test_a_typing_error_ends_the_worker_and_not_the_watcher(watched: Watched, beat: BeatNode) -> None:
    watched.file.write_text(watched.text + "\ndef broken(:\n")
    watched.wait_for(lambda logs: "it is started at the next change" in logs, "the worker's end")
    assert "SyntaxError" in watched.process.logs()
    watched.save(watched.edited("mended"), boots=2)
    handle = drill.delay()
    wait_completed([handle])
    assert job(handle).result == "mended"


def test_a_job_that_runs_when_a_file_is_saved_is_given_back_and_run_by_the_new_worker(
    watched: Watched, beat: BeatNode
) -> None:
    handle = drill.delay(sleep=6.0)
    wait_for_state(handle, "active")
    watched.save(watched.edited("new"), boots=2)
    wait_completed([handle])
    assert (outcomes(handle), job(handle).result, job(handle).failures) == (["released", "completed"], "new", 0)


@pytest.mark.parametrize("number", [SIGINT, SIGTERM, SIGKILL], ids=["Ctrl-C", "SIGTERM", "SIGKILL"])
def test_when_the_watcher_goes_its_worker_goes(watched: Watched, number: int) -> None:
    family = watched.family()
    assert len(family) == 2
    watched.process.signal(number)
    assert watched.process.wait(LIMIT) == (-SIGKILL if number == SIGKILL else 0)
    wait_until(lambda: not alive(family), limit=LIMIT, what="the worker's end")
    assert Worker.objects.get().stopped_at is not None
