"""Pausing and resuming queues, and operators' control of single jobs."""

from __future__ import annotations

import pytest
from django.db import transaction

from jobs import control, events, lifecycle, queues
from jobs.database import now
from jobs.lifecycle import CannotMove
from jobs.models import QueueControl, QueuePause
from jobs.queues import UnknownQueue
from jobs.states import State
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, SECOND, fresh, make, take

pytestmark = COMMITTED


def test_a_pause_says_who_why_and_until_when() -> None:
    until = now() + HOUR
    held = queues.pause("email", reason="mail server is ill", by="ada", until=until)
    assert (held.owner, held.reason, held.by, held.until) == ("operator", "mail server is ill", "ada", until)


@pytest.mark.parametrize("reason", ["", " ", "\n"])
def test_a_pause_needs_a_reason(reason: str) -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        queues.pause("email", reason=reason)
    assert QueuePause.objects.count() == 0


def test_an_unknown_queue_is_refused_with_the_nearest() -> None:
    for act in (lambda: queues.pause("emial", reason="x"), lambda: queues.resume("emial")):
        with pytest.raises(UnknownQueue, match="Did you mean 'email'"):
            act()


def test_a_second_pause_of_one_owner_replaces_the_first() -> None:
    queues.pause("email", reason="first", until=now() + HOUR)
    queues.pause("email", reason="second")
    held = QueuePause.objects.get()
    assert (held.reason, held.until) == ("second", None)


def test_nobody_lifts_anothers_pause(broker: Broker) -> None:
    job = make(queue="email")
    queues.pause("email", reason="x", owner="breaker")
    assert queues.resume("email") is False
    assert take(job) is None
    assert QueueControl.objects.count() == 0, "nothing was woken"
    assert queues.resume("email", owner="breaker") is True
    assert take(job) is not None


def test_a_resume_rings_when_it_commits_and_not_before(broker: Broker) -> None:
    job = make(published_at=now(), rings=1, dispatch_no=1)
    queues.pause("general", reason="x")
    with transaction.atomic():
        queues.resume("general")
        assert broker.messages() == []
    assert broker.task_ids() == [f"{job.id}.2"]
    queues.pause("general", reason="x")
    with transaction.atomic():
        queues.resume("general")
        transaction.set_rollback(True)
    assert len(broker.messages()) == 1
    assert QueuePause.objects.count() == 1


def test_while_another_owner_holds_the_queue_a_resume_rings_nobody(broker: Broker) -> None:
    make()
    queues.pause("general", reason="x")
    queues.pause("general", reason="x", owner="breaker")
    assert queues.resume("general")
    assert broker.messages() == []


def test_pauses_end_at_their_moment_and_wake_their_queues() -> None:
    moment = now()
    queues.pause("general", reason="x", until=moment)
    queues.pause("email", reason="x", until=moment + SECOND)
    queues.pause("payment", reason="x")
    assert queues.end_pauses_once(moment) == 1
    assert set(QueuePause.objects.values_list("queue", flat=True)) == {"email", "payment"}
    assert QueueControl.objects.get().queue == "general"


# ---------------------------------------------------------------- single jobs
@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Events that listeners were told."""
    told: list[str] = []
    monkeypatch.setattr(events, "listeners", [lambda event, facts: told.append(f"{event} {facts.get('by', '')}")])
    return told


def test_a_retry_by_hand_rings_and_is_told(broker: Broker, heard: list[str]) -> None:
    job = make(State.FAILED, dispatch_no=3)
    control.retry(job.id, by="ada")
    assert broker.task_ids() == [f"{job.id}.4"]
    assert heard == ["retried by hand ada"]


def test_a_refused_retry_rings_nobody(broker: Broker, heard: list[str]) -> None:
    with pytest.raises(CannotMove):
        control.retry(make(State.COMPLETED).id)
    assert (broker.messages(), heard) == ([], [])


def test_a_cancel_needs_a_reason_and_says_what_it_did(heard: list[str]) -> None:
    waiting, active = make(), make(State.ACTIVE)
    with pytest.raises(ValueError, match="needs a reason"):
        control.cancel(waiting.id, reason=" ")
    assert control.cancel(waiting.id, reason="x", by="ada") is State.CANCELLED
    assert control.cancel(active.id, reason="x", by="ada") is State.ACTIVE
    assert heard == ["cancelled by hand ada", "cancel requested ada"]


@pytest.mark.parametrize(("state", "rung"), [(State.WAITING, 1), (State.COMPLETED, 0), (State.FAILED, 0)])
def test_a_decided_outcome_is_rung_only_if_it_is_sent_again(
    broker: Broker, heard: list[str], state: State, rung: int
) -> None:
    job = make(State.UNKNOWN)
    control.resolve(job.id, state=state, reason="asked the bank", by="ada")
    assert (fresh(job).state, len(broker.messages())) == (state, rung)
    assert heard == ["unknown outcome decided ada"]


def test_a_retry_in_a_paused_queue_waits_for_its_resume(broker: Broker) -> None:
    job = make(State.FAILED)
    queues.pause("general", reason="x")
    control.retry(job.id)
    assert broker.messages() == []
    assert lifecycle.refusal(job.id, [job.kind]) == "paused"


def test_a_listener_that_fails_disturbs_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    def fail(event: str, facts: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(events, "listeners", [fail, lambda event, facts: told.append(event)])
    events.emit("something", job=1)
    assert told == ["something"]
    assert "a listener failed on something" in caplog.text


@pytest.mark.parametrize(
    ("event", "level"), [("failed", "ERROR"), ("timed out", "ERROR"), ("crashed", "WARNING"), ("completed", "INFO")]
)
def test_an_event_is_one_line_of_its_own_level(event: str, level: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="jobs")
    events.emit(event, kind="zoo.mail", run=2)
    (record,) = caplog.records
    assert (record.levelname, record.message) == (level, f"{event} kind=zoo.mail run=2")
