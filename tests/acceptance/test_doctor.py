"""`manage.py jobs doctor` finds a stopped worker, a frozen one, one of another build, and a broker that is away."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contralock.local.ports import LOOPBACK
from contralock.local.valkey import Valkey
from contralock.local.waiting import wait_until
from jobs import queues, selectors
from jobs.database import now
from jobs.models import Job
from tests.nodes import BeatNode, WorkerNode
from tests.notifications.post_office import PostOffice, open_office

ROOT = Path(__file__).parents[2]
ALL = "email,payment,invoice,general"
PATIENT = {"JOBS_LEASE": "60", "JOBS_HEARTBEAT": "1", "JOBS_TICK": "0.2"}
"""A worker that stands still counts as living all through the story."""

type Start = Callable[..., WorkerNode]


@dataclass
class Report:
    """What the doctor said."""

    code: int
    findings: list[dict[str, str]]

    def bad(self, check: str = "") -> list[str]:
        """The texts of what is not well."""
        found = [f for f in self.findings if f["level"] != "ok"]
        return [f"{f['level']}: {f['what']}" for f in found if not check or f["check"] == check]

    def one(self, what: str) -> dict[str, str]:
        """The finding with these words."""
        return next(f for f in self.findings if what in f["what"])


@pytest.fixture
def office(settings: Any) -> Iterator[PostOffice]:
    yield from open_office(PostOffice(), settings)


@pytest.fixture
def ask(environment: dict[str, str], office: PostOffice) -> Callable[..., Report]:
    """Ask the doctor, in a process of its own."""
    mail = {"SMTP_HOST": LOOPBACK, "SMTP_PORT": str(office.controller.port), "SMTP_STARTTLS": "false"}

    def run(*, timeout: float = 10.0, **settings: str) -> Report:
        argv = [sys.executable, "manage.py", "jobs", "doctor", "--json", "--timeout", str(timeout)]
        done = subprocess.run(
            argv, cwd=ROOT, env=environment | mail | settings, capture_output=True, text=True, timeout=60, check=False
        )
        assert "Traceback" not in done.stderr
        report = Report(done.returncode, json.loads(done.stdout)["findings"])
        print(
            "\n".join(f"{f['level']:5} {f['check']:11} {f['what']}  {f['why']}  {f['todo']}" for f in report.findings)
        )
        return report

    return run


def test_where_all_is_well_there_is_nothing_to_do(
    start_worker: Start, beat: BeatNode, ask: Callable[..., Report]
) -> None:
    worker = start_worker(ALL)
    report = ask()
    assert (report.code, report.bad()) == (0, [])
    trips = [f["what"] for f in report.findings if f["check"] == "round trip"]
    assert [trip.split(":")[0] for trip in trips] == ALL.split(",")
    assert all(f"ms, by {worker.hostname()}, version dev" in trip for trip in trips)
    assert set(Job.objects.values_list("kind", "state")) == {("jobs.canary", "completed")}
    assert "greets, without encryption, without login" in report.one("greets")["what"]


def test_a_worker_that_was_stopped_is_missed_with_the_command_that_starts_one(
    start_worker: Start, beat: BeatNode, ask: Callable[..., Report]
) -> None:
    start_worker("email,payment,invoice")
    gone = start_worker("general")
    assert gone.stop() == 0
    report = ask()
    assert report.code == 1
    assert report.bad() == ["fail: nobody works on queue general", "warn: general: none, nobody works there"]
    finding = report.one("nobody works on queue general")
    assert finding["why"].startswith(f"{gone.hostname()} left ")
    assert finding["todo"] == "celery -A contralock worker -Q general -n general@%h"


def test_a_frozen_worker_is_found_by_its_silence_before_its_lease_is_over(
    start_worker: Start, start_beat: Callable[..., BeatNode], ask: Callable[..., Report]
) -> None:
    start_beat(**PATIENT)
    start_worker("email,payment,invoice", **PATIENT)
    frozen = start_worker("general", **PATIENT)
    frozen.pause()
    report = ask(timeout=2.0, **PATIENT)
    assert report.code == 1
    assert report.bad() == [
        f"fail: {frozen.hostname()} does not answer through the broker within 2 s",
        "fail: general: the canary was not run within 2 s",
    ]
    assert "frozen" in report.one("the canary was not run")["why"]
    assert set(Job.objects.filter(queue="general").values_list("state", flat=True)) == {"cancelled"}
    frozen.resume()


def test_a_worker_frozen_for_longer_is_missed(start_worker: Start, beat: BeatNode, ask: Callable[..., Report]) -> None:
    frozen = start_worker(ALL)
    frozen.pause()
    wait_until(lambda: not selectors.living_workers(now()).exists(), limit=10, what="the end of its lease")
    report = ask()
    assert report.code == 1
    assert len(report.bad("workers")) == 5
    assert "killed, frozen or cut off from PostgreSQL" in report.one(f"{frozen.hostname()} was last seen")["what"]
    frozen.resume()


def test_a_worker_of_another_build_is_found_twice(
    start_worker: Start, beat: BeatNode, ask: Callable[..., Report]
) -> None:
    start_worker("email,payment,invoice", VERSION="2026.11")
    old = start_worker("general", VERSION="2026.10")
    report = ask(VERSION="2026.11")
    assert report.code == 1
    assert report.bad("versions") == [f"fail: {old.hostname()} runs version 2026.10; here it is 2026.11"]
    (trip,) = report.bad("round trip")
    assert trip.endswith(f"by {old.hostname()}, version 2026.10; here it is 2026.11")


@pytest.mark.parametrize(("away", "back"), [("kill", "start"), ("pause", "resume")])
def test_a_broker_that_is_away_is_found_and_the_rest_is_examined(
    away: str, back: str, start_worker: Start, beat: BeatNode, valkey: Valkey, ask: Callable[..., Report]
) -> None:
    start_worker(ALL)
    getattr(valkey, away)()
    report = ask()
    getattr(valkey, back)()
    assert report.code == 1
    assert report.bad() == [
        f"fail: Redis at {report.one('Redis at')['what'].split(' ')[2]} is away",
        "warn: no round trip was made: the broker must be well first",
    ]
    assert report.one("ticked")["check"] == "keeper"
    assert not Job.objects.exists()


def test_a_paused_queue_is_no_failure_and_is_said(
    start_worker: Start, beat: BeatNode, ask: Callable[..., Report]
) -> None:
    start_worker(ALL)
    queues.pause("payment", reason="bank holiday", by="ada")
    report = ask()
    assert report.code == 0
    assert report.bad() == [
        "warn: payment is paused by operator (ada): bank holiday",
        "warn: payment: none, the queue is paused",
    ]


def test_a_mail_server_that_is_away_is_found(start_worker: Start, beat: BeatNode, ask: Callable[..., Report]) -> None:
    start_worker(ALL)
    report = ask(SMTP_PORT="1")
    assert report.code == 1
    (finding,) = report.bad()
    assert finding.startswith(f"fail: Mail server {LOOPBACK}:1: ")
