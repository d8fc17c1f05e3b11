"""`manage.py jobs doctor`: what it finds in rows and servers that a test can make; the rest is told by stories."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from jobs import broker as jobs_broker
from jobs import doctor, queues
from jobs.database import now
from jobs.doctor import Finding, Level, backlog, database, examination, findings, fleet, roundtrip
from jobs.doctor import broker as broker_check
from jobs.maintenance import pulse
from jobs.models import Job, Worker
from jobs.states import State
from jobs.version import VERSION
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, make, worker
from tests.jobs.shell import Answer, on_a_terminal

pytestmark = COMMITTED


def bad(found: Iterator[Finding]) -> list[tuple[str, str]]:
    """Level and text of all that are not good; each of them says what to do."""
    seen = list(found)
    assert seen, "silence is no answer"
    assert [f for f in seen if f.level is not Level.OK and not (f.todo or f.why)] == []
    return [(f.level.value, f.what) for f in seen if f.level is not Level.OK]


@pytest.fixture
def staffed() -> None:
    """A keeper, and a worker for every queue that knows every kind."""
    pulse.begin(now())
    worker(name="all@h", queues=["email", "payment", "invoice", "general"], kinds=["zoo.perform"], concurrency=2)


# ---------------------------------------------------------------- PostgreSQL
def test_a_good_database_is_three_good_findings() -> None:
    assert bad(database.check()) == []
    assert len(list(database.check())) == 3


def test_a_database_that_is_away_is_one_finding_and_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("connection refused\n\tIs the server running?")

    monkeypatch.setattr(database, "rows", away)
    (finding,) = database.check()
    assert (finding.level, finding.why) == (Level.FAIL, "connection refused Is the server running?")
    assert "DATABASE_URL" in finding.todo
    found = examination.examine(timeout=1.0)
    assert "keeper" not in {f.check for f in found}
    assert ("round trip", Level.WARN) in {(f.check, f.level) for f in found}


def test_an_old_database_a_missing_migration_and_a_wrong_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "OLDEST", 99)
    monkeypatch.setattr(database, "CLOCK_TOLERANCE", -1.0)
    monkeypatch.setattr("jobs.doctor.database.MigrationExecutor.migration_plan", lambda *_: [(_Migration(), False)] * 5)
    assert [what.split(" ")[0] for _, what in bad(database.check())] == ["PostgreSQL", "not", "PostgreSQL's"]
    texts = [what for _, what in bad(database.check())]
    assert texts[1] == "not migrated: jobs.0099_x, jobs.0099_x, jobs.0099_x and 2 more"


class _Migration:
    app_label, name = "jobs", "0099_x"


# ---------------------------------------------------------------- Redis
def test_a_good_broker_says_how_it_is_set(broker: Broker) -> None:
    found = [f.what for f in broker_check.check()]
    assert found[1] == "appendonly yes, maxmemory-policy noeviction"
    assert bad(broker_check.check()) == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"redis_version": "6.0.16"}, [("fail", "Redis 6.0.16 is too old")]),
        ({"aof_enabled": 0}, [("warn", "appendonly is no")]),
        ({"maxmemory_policy": "allkeys-lru"}, [("warn", "maxmemory-policy is allkeys-lru")]),
        ({"used_memory": 90 * 2**20, "maxmemory": 100 * 2**20}, [("warn", "90 MiB used of 100")]),
        ({"aof_enabled": None}, [("warn", "cannot tell appendonly and maxmemory-policy: INFO does not say")]),
    ],
)
def test_a_broker_set_otherwise_is_told_with_the_command_that_sets_it_right(
    broker: Broker, facts: dict[str, Any], words: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = {"redis_version": "7.2.4", "aof_enabled": 1, "maxmemory_policy": "noeviction", "used_memory": 2**20}
    monkeypatch.setattr(jobs_broker, "facts", lambda: good | facts)
    assert bad(broker_check.check()) == words


def test_a_broker_that_keeps_its_settings_to_itself(broker: Broker) -> None:
    client = broker.client()
    client.execute_command("ACL", "SETUSER", "default", "-info")
    try:
        assert jobs_broker.facts() == {}
        assert bad(broker_check.check()) == [("warn", "cannot tell its version and settings: INFO is forbidden")]
    finally:
        client.execute_command("ACL", "SETUSER", "default", "+info")


@pytest.mark.parametrize("away", ["kill", "pause"])
def test_a_broker_that_is_away_is_one_finding_without_its_password(broker: Broker, away: str) -> None:
    getattr(broker.server, away)()
    (finding,) = broker_check.check()
    assert finding.level is Level.FAIL
    assert f":{broker.server.port}" in finding.what
    assert broker.server.url.split("@")[0].split(":")[-1] not in finding.what


# ---------------------------------------------------------------- keeper and workers
def test_a_keeper_that_is_missing_or_silent() -> None:
    assert bad(fleet.keeper()) == [("fail", "nobody keeps")]
    pulse.begin(now() - timedelta(seconds=40))
    assert bad(fleet.keeper()) == [("fail", "nobody has kept for 40 s")]
    (finding,) = fleet.keeper()
    assert finding.todo == "celery -A contralock beat --pidfile="
    pulse.begin(now())
    assert bad(fleet.keeper()) == []


def test_queues_without_a_worker_say_which_was_the_last_and_how_to_start_one() -> None:
    moment = now()
    worker(name="left@h", queues=["email"], stopping=True, stopped_at=moment - timedelta(seconds=30))
    buried = {"stopped_at": moment - timedelta(minutes=4), "seen_at": moment - timedelta(minutes=5)}
    worker(name="dead@h", queues=["payment"], **buried)
    worker(name="here@h", queues=["general"])
    found = {f.what: f for f in fleet.workers()}
    assert found["nobody works on queue email"].why == "left@h left 30 s ago."
    assert "dead@h was last seen 5 min ago: killed, frozen" in found["nobody works on queue payment"].why
    assert found["nobody works on queue invoice"].why == "None was ever started."
    assert found["nobody works on queue invoice"].todo == "celery -A contralock worker -Q invoice -n invoice@%h"
    assert "general: here@h (1 process)" in found


def test_a_worker_that_fell_silent_is_missed_until_another_has_its_name() -> None:
    moment = now()
    worker(name="old@h", seen_at=moment - timedelta(minutes=1))
    worker(name="here@h", queues=["email", "payment", "invoice", "general"])
    assert [what for level, what in bad(fleet.workers()) if level == "warn"] == [
        "old@h was last seen 60 s ago: killed, frozen or cut off from PostgreSQL."
    ]
    worker(name="old@h")
    assert bad(fleet.workers()) == []
    Worker.objects.filter(name="old@h").update(seen_at=moment - 2 * HOUR)
    assert bad(fleet.workers()) == []


def test_a_worker_of_another_build_is_named() -> None:
    worker(name="same@h")
    assert bad(fleet.versions()) == []
    worker(name="other@h", version="2.0")
    assert bad(fleet.versions()) == [("fail", f"other@h runs version 2.0; here it is {VERSION}")]


def test_waiting_jobs_of_a_kind_that_no_worker_knows() -> None:
    make(kind="zoo.gone")
    make()
    make(kind="zoo.elsewhere", queue="email")
    assert bad(fleet.kinds()) == []
    worker()
    assert bad(fleet.kinds()) == [("fail", "jobs of kind zoo.gone wait in queue general, and no worker there knows it")]


# ---------------------------------------------------------------- queues and jobs
def test_pauses_are_told_with_who_may_lift_them() -> None:
    assert bad(backlog.pauses()) == []
    queues.pause("email", reason="ill", by="ada")
    queues.pause("payment", reason="errors", owner="breaker", until=now() + HOUR)
    first, second = backlog.pauses()
    assert (first.what, first.todo) == ("email is paused by operator (ada): ill", "manage.py jobs resume email")
    assert "payment is paused by breaker until" in second.what
    assert second.todo == "It is breaker's to lift."


def test_jobs_that_wait_too_long_say_why() -> None:
    make(available_at=now() - timedelta(seconds=30))
    assert bad(backlog.waiting()) == []
    make(available_at=now() - HOUR)
    (finding,) = backlog.waiting()
    assert finding.what == "the oldest job of general has been due for 60 min"
    assert finding.why == "No living worker serves queue 'general'."


def test_what_a_keeper_should_have_moved() -> None:
    make(State.ACTIVE, lease_until=now() - timedelta(seconds=5))
    assert bad(backlog.stuck()) == []
    make(State.ACTIVE, lease_until=now() - HOUR)
    make(State.DELAYED, available_at=now() - HOUR)
    assert bad(backlog.stuck()) == [
        ("fail", "1 jobs belong to workers that are gone"),
        ("fail", "1 delayed jobs have been due for more than 60 s"),
    ]


def test_unknown_outcomes_are_counted() -> None:
    assert bad(backlog.unknown()) == []
    make(State.UNKNOWN)
    assert bad(backlog.unknown()) == [("warn", "1 jobs have an unknown outcome")]


# ---------------------------------------------------------------- round trips
@pytest.mark.usefixtures("staffed")
def test_a_canary_that_does_not_come_back_is_taken_away(broker: Broker) -> None:
    queues.pause("email", reason="ill")
    Worker.objects.update(queues=["email", "payment", "general"])
    found = dict.fromkeys(f"{f.level.value} {f.what}" for f in roundtrip.check(timeout=0.0))
    assert list(found) == [
        "warn email: none, the queue is paused",
        "warn invoice: none, nobody works there",
        "fail payment: the canary was not run within 0 s",
        "fail general: the canary was not run within 0 s",
    ]
    assert set(Job.objects.values_list("kind", "state", "priority")) == {("jobs.canary", "cancelled", 0)}


@pytest.mark.usefixtures("staffed")
def test_why_a_canary_did_not_come_back(broker: Broker) -> None:
    def why(queue: str = "general") -> str:
        return next(f.why for f in roundtrip.check(timeout=0.0) if f.what.startswith(queue))

    assert why() == "Its doorbell lies in Redis and all@h does not fetch it: deaf or frozen."
    broker.empty()
    all_ = Worker.objects.get()
    for _ in range(2):
        make(State.ACTIVE, worker=all_.id)
    assert why() == "All 2 processes of all@h are busy with other jobs."


# ---------------------------------------------------------------- the command
@pytest.fixture
def _registry() -> Iterator[None]:
    kept = dict(findings.registered)
    findings.registered.clear()
    yield
    findings.registered.clear()
    findings.registered.update(kept)


@pytest.mark.usefixtures("_registry", "staffed")
def test_other_apps_add_checks_and_one_that_breaks_is_a_finding(broker: Broker) -> None:
    def broken() -> Iterator[Finding]:
        yield findings.ok("moon", "is up")
        raise ZeroDivisionError("of no use")

    doctor.register("sun", lambda: [findings.warn("sun", "spots", todo="wait")])
    doctor.register("moon", broken)
    found = {f.check: f.what for f in examination.examine(timeout=0.0)}
    assert found["sun"] == "spots"
    assert found["moon"] == "could not be examined: ZeroDivisionError: of no use"


def test_the_mail_server_is_asked() -> None:
    assert "mail" in findings.registered


@pytest.mark.usefixtures("_registry")
def test_findings_that_fail_are_exit_code_one(broker: Broker) -> None:
    said = Answer("doctor", "--timeout", "0")
    assert said.code == 1
    assert "nobody keeps" in said.out
    assert "do:  celery -A contralock beat --pidfile=" in said.out
    assert said.err.strip().endswith("findings need something done.")
    found = Answer("doctor", "--timeout", "0", "--json")
    assert (found.code, found.json["ok"]) == (1, False)
    assert {"check", "level", "what", "why", "todo"} == set(found.json["findings"][0])
    assert "✕" in on_a_terminal("doctor", "--timeout", "0").out
