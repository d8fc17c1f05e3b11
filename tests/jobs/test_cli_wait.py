"""`manage.py jobs wait` and `enqueue --wait`: until the end, with an exit code that says which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jobs.cli import waiting
from jobs.models import Job
from jobs.states import State
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import make, taken, verdict
from tests.jobs.shell import Answer, on_a_terminal

pytestmark = COMMITTED


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """What happens while the command sleeps, one after the other; returns for how long it slept."""

    def play(*parts: Callable[[], object]) -> list[float]:
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            if len(slept) < len(parts):
                parts[len(slept)]()
            slept.append(seconds)

        monkeypatch.setattr(waiting, "sleep", sleep)
        return slept

    return play


def end(job: Job, state: State, **more: Any) -> None:
    """Run the job to this end."""
    from jobs.lifecycle import finish

    finish(taken(job), verdict(state, **more))


def test_all_completed_is_exit_code_zero(meanwhile: Callable[..., list[float]]) -> None:
    first, second = make(), make(State.COMPLETED)
    slept = meanwhile(lambda: None, lambda: end(first, State.COMPLETED))
    said = Answer("wait", str(first.id), str(second.id))
    assert (said.code, said.out.strip()) == (0, "all 2 completed")
    assert slept == sorted(slept)
    assert len(slept) == 2


def test_whatever_else_they_become_is_a_sentence_and_exit_code_one(meanwhile: Callable[..., list[float]]) -> None:
    failed, doubtful, good = make(), make(), make()
    cancelled, gone = make(State.CANCELLED, error="wrong number"), make()
    gone_id = gone.id  # Django forgets it
    meanwhile(
        lambda: end(failed, State.FAILED, error="no"),
        lambda: end(doubtful, State.UNKNOWN, error="timed out"),
        gone.delete,
        lambda: end(good, State.COMPLETED),
    )
    said = Answer("wait", *(str(job.id) for job in (failed, doubtful, good, cancelled)), str(gone_id))
    assert said.code == 1
    assert said.err.splitlines() == [
        f"Job {failed.id} is failed: no",
        f"Job {doubtful.id} is unknown: timed out. A person or a resolver has to decide.",
        f"Job {cancelled.id} is cancelled: wrong number",
        f"Job {gone_id} is not there any more; finished jobs leave after their keeping.",
    ]


def test_time_that_is_up_is_exit_code_one() -> None:
    job = make()
    said = Answer("wait", str(job.id), "--timeout", "0.01")
    assert said.code == 1
    assert said.err.strip() == f"Job {job.id} is still waiting after 0.01 s; see: manage.py jobs show {job.id}"
    assert Answer("wait", str(job.id), "--timeout", "0").code == 1


def test_waiting_for_what_is_not_there_is_refused_at_once() -> None:
    assert Answer("wait", "01a20c0f-8ce9-70d3-adca-465291acd3ab").code == 1
    assert Answer("wait").code == 2


def test_as_json(meanwhile: Callable[..., list[float]]) -> None:
    good, bad = make(), make(State.FAILED, error="no")
    meanwhile(lambda: end(good, State.COMPLETED, result=[7]))
    said = Answer("wait", str(good.id), str(bad.id), "--json")
    assert said.code == 1
    assert said.json == [
        {"id": str(good.id), "state": "completed", "result": [7], "error": ""},
        {"id": str(bad.id), "state": "failed", "result": None, "error": "no"},
    ]


def test_enqueue_may_wait(meanwhile: Callable[..., list[float]], broker: Broker) -> None:
    meanwhile(lambda: end(Job.objects.get(), State.COMPLETED, result=1))
    said = Answer("enqueue", "zoo.perform", "--wait", "--json")
    assert (said.code, said.json["created"], said.json["jobs"][0]["result"]) == (0, 1, 1)
    said = Answer("enqueue", "zoo.perform", "--wait", "--timeout", "0")
    job = Job.objects.get(state="waiting")
    assert (said.code, said.out.strip()) == (1, str(job.id))
    assert "still waiting" in said.err


def test_progress_does_not_come_between_the_answer_and_its_reader() -> None:
    job = make(State.COMPLETED)
    assert on_a_terminal("wait", str(job.id)).out == "completed\n"
