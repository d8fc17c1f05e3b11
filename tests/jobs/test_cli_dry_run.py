"""`--dry-run`: what would happen is said, and nothing has happened."""

from __future__ import annotations

import pytest

from jobs import events, queues
from jobs.database import now
from jobs.models import Job, QueuePause
from jobs.states import State
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, fresh, make
from tests.jobs.shell import Answer

pytestmark = COMMITTED


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Events that were told."""
    told: list[str] = []
    monkeypatch.setattr(events, "listeners", [lambda event, _: told.append(event)])
    return told


def test_enqueue_shows_the_job_it_would_write(broker: Broker) -> None:
    said = Answer("enqueue", "zoo.mail", "--kwargs", '{"number": 7}', "--count", "3", "--dry-run")
    assert (said.code, said.out.splitlines()[0]) == (0, "would write 3 jobs:")
    assert '{"number": 7}' in said.out
    assert "number:7" in said.out
    found = Answer("enqueue", "zoo.mail", "--kwargs", '{"number": 7}', "--delay", "9", "--dry-run", "--json").json
    assert (found["dry_run"], found["would_create"]) == (True, 1)
    assert (found["job"]["state"], found["job"]["queue"], found["job"]["priority"]) == ("delayed", "email", 3)
    assert (Job.objects.count(), broker.task_ids("email")) == (0, [])


def test_enqueue_refuses_what_it_would_refuse(broker: Broker) -> None:
    said = Answer("enqueue", "zoo.mail", "--kwargs", '{"number": "x"}', "--dry-run")
    assert (said.code, "valid integer" in said.err) == (2, True)
    assert Answer("enqueue", "zoo.perform", "--dry-run", "--wait").code == 2


def test_enqueue_tells_who_holds_the_unique_key(broker: Broker) -> None:
    holder = Answer("enqueue", "zoo.perform", "--unique-key", "k").out.strip()
    said = Answer("enqueue", "zoo.perform", "--unique-key", "k", "--dry-run")
    assert said.out.strip() == f"would write nothing: job {holder} has this unique key and is waiting"
    found = Answer("enqueue", "zoo.perform", "--unique-key", "k", "--dry-run", "--json").json
    assert (found["would_create"], found["already_there"]) == (0, holder)


def test_moves_are_told_and_refused_and_not_made(broker: Broker, heard: list[str]) -> None:
    failed, taken = make(State.FAILED), make(State.FAILED, unique_key="k")
    make(unique_key="k")
    said = Answer("retry", str(failed.id), str(taken.id), "--dry-run")
    assert (said.code, said.out.strip()) == (1, "1 of 2 would be retried")
    assert "another unfinished job holds its unique key" in said.err
    delayed, running = make(State.DELAYED, available_at=now() + HOUR), make(State.ACTIVE)
    found = Answer("promote", "--state", "delayed", "--dry-run", "--json").json
    assert found == {"would_do": [str(delayed.id)], "refused": []}
    said = Answer("cancel", str(delayed.id), str(running.id), "--dry-run")
    assert said.out.strip() == "2 of 2 would be cancelled or asked to stop"
    states = [fresh(job).state for job in (failed, delayed, running)]
    assert (states, fresh(running).cancel_requested) == (["failed", "delayed", "active"], False)
    assert (heard, broker.task_ids()) == ([], [])
    assert Answer("retry", str(failed.id)).code == 0
    assert heard == ["retried by hand"]


def test_a_pause_is_told_and_not_made() -> None:
    make()
    said = Answer("pause", "general", "--reason", "x", "--dry-run")
    assert said.out.strip() == "would pause general: 1 waiting would stay, 0 active would go on"
    assert Answer("pause", "general", "--reason", "x", "--dry-run", "--json").json["dry_run"] is True
    assert Answer("pause", "emial", "--reason", "x", "--dry-run").code == 2
    assert QueuePause.objects.count() == 0


def test_a_resume_is_told_and_not_made(broker: Broker) -> None:
    make()
    assert Answer("resume", "general", "--dry-run").code == 1
    queues.pause("general", reason="x")
    queues.pause("general", reason="errors", owner="breaker")
    said = Answer("resume", "general", "--dry-run")
    assert said.out.strip() == "would lift the operator's pause of general; still paused by breaker: errors"
    assert (QueuePause.objects.count(), broker.task_ids()) == (2, [])
