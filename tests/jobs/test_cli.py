"""`manage.py jobs`: each verb, its refusals and its exit codes."""

from __future__ import annotations

import json

import pytest

from jobs import queues
from jobs.database import now
from jobs.ids import uuid7
from jobs.maintenance import pulse
from jobs.models import Attempt, Job, JobLog, QueueLimit, QueuePause
from jobs.states import State
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import HOUR, fresh, make, worker
from tests.jobs.shell import Answer

pytestmark = COMMITTED


# ---------------------------------------------------------------- reading
def test_stats_show_counts_pauses_workers_and_the_keeper() -> None:
    make(available_at=now() - HOUR)
    make(State.FAILED, queue="email")
    queues.pause("email", reason="ill", by="ada")
    worker(name="w1@h")
    said = Answer("stats")
    assert said.code == 0
    assert "NO KEEPER TICKS: start celery -A contralock beat" in said.out
    assert "email is paused: by operator (ada): ill" in said.out
    assert "1 workers: w1@h" in said.out
    line = next(line for line in said.out.splitlines() if line.startswith("general"))
    assert line.split()[1] == "1"
    assert float(line.split()[-1]) >= 3600
    pulse.begin(now())
    assert "keeper ticked 0." in Answer("stats").out


def test_stats_as_json() -> None:
    make()
    found = Answer("stats", "--json").json
    assert found["queues"]["general"]["waiting"] == 1
    assert (found["queues"]["payment"]["oldest_due_seconds"], found["queues"]["payment"]["paused"]) == (0.0, [])
    assert (found["workers"], found["keeper_age_seconds"]) == ([], None)
    pulse.begin(now())
    assert Answer("stats", "--json").json["keeper_age_seconds"] < 5


def test_list_filters_limits_and_keeps_to_one_line() -> None:
    make(State.FAILED, subject="escrow:1", error="two\nlines")
    newest = make(State.FAILED, subject="escrow:1")
    make()
    assert len(Answer("list").out.splitlines()) == 4
    found = Answer("list", "--subject", "escrow:1", "--state", "failed", "--limit", "1", "--json").json
    assert [job["id"] for job in found] == [str(newest.id)]
    assert "two lines" in Answer("list", "--state", "failed").out
    assert Answer("list", "--queue", "payment", "--json").json == []


def test_show_tells_everything_about_a_job() -> None:
    moment = now()
    job = make(State.FAILED, error="no", args={"number": 7}, kind="zoo.mail")
    JobLog.objects.create(job=job, run=1, line="half way")
    Attempt.objects.create(
        job=job,
        number=1,
        due_at=moment,
        started_at=moment,
        finished_at=moment,
        outcome="failed",
        error_class="ValueError",
        message="no",
        traceback="Traceback:\n  line 1",
    )
    said = Answer("show", str(job.id))
    assert said.code == 0
    for text in ("zoo.mail", "{'number': 7}", "ValueError: no", "      line 1", "half way"):
        assert text in said.out
    assert Answer("show", str(job.id), "--json").json["attempts"][0]["message"] == "no"


@pytest.mark.parametrize("job_id", ["12", "not an id", "01a20c0f-8ce9-70d3-adca-465291acd3ab"])
def test_a_job_that_is_not_there_is_exit_code_one(job_id: str) -> None:
    for verb in ("show", "retry", "cancel"):
        said = Answer(verb, job_id)
        assert (said.code, said.out) == (1, "")
        assert "not a job id" in said.err or "there is no job" in said.err


# ---------------------------------------------------------------- enqueue
def test_enqueue_writes_a_job_and_prints_its_id(broker: Broker) -> None:
    said = Answer("enqueue", "zoo.mail", "--kwargs", '{"number": 7}', "--priority", "0", "--subject", "x:1")
    job = Job.objects.get()
    assert (said.code, said.out.strip()) == (0, str(job.id))
    assert (job.args, job.priority, job.subject, job.queue) == ({"number": 7}, 0, "x:1", "email")
    assert job.enqueued_by.startswith("shell")
    assert broker.task_ids("email") == [f"{job.id}.1"]


def test_enqueue_takes_typed_arguments_as_text(broker: Broker) -> None:
    key = str(uuid7())
    found = Answer("enqueue", "zoo.typed", "--kwargs", json.dumps({"key": key, "day": "2024-02-29"}), "--json").json
    assert found["created"] == 1
    assert fresh(Job.objects.get()).args == {"key": key, "day": "2024-02-29"}
    assert Answer("enqueue", "zoo.typed", "--count", "3", "--kwargs", json.dumps({"key": key})).code == 0
    assert Job.objects.count() == 4


def test_enqueue_many_later_on_another_queue(broker: Broker) -> None:
    said = Answer("enqueue", "zoo.perform", "--count", "3", "--delay", "60", "--queue", "invoice")
    assert said.out.startswith("3 jobs of zoo.perform: ")
    assert list(Job.objects.values_list("queue", "state")) == [("invoice", "delayed")] * 3


def test_enqueue_with_a_key_that_is_taken_says_so(broker: Broker) -> None:
    first = Answer("enqueue", "zoo.perform", "--unique-key", "k").out.strip()
    said = Answer("enqueue", "zoo.perform", "--unique-key", "k")
    assert (said.code, said.out.strip()) == (0, f"{first} (already there with this unique key)")
    assert Answer("enqueue", "zoo.perform", "--unique-key", "k", "--json").json == {"ids": [first], "created": 0}


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["zoo.mial"], "Did you mean 'zoo.mail'"),
        (["zoo.mail"], "argument 'number' is missing"),
        (["zoo.mail", "--kwargs", "{number: 7}"], "--kwargs is not JSON"),
        (["zoo.mail", "--kwargs", "[7]"], "--kwargs takes a JSON object"),
        (["zoo.mail", "--kwargs", '{"number": "x"}'], "valid integer"),
        (["zoo.mail", "--kwargs", '{"number": "x"}', "--count", "2"], "valid integer"),
        (["zoo.perform", "--queue", "emial"], "Did you mean 'email'"),
        (["zoo.perform", "--unique-key", "k", "--count", "2"], "one job only"),
        (["zoo.perform", "--count", "0"], "1 to 1,000,000"),
        (["zoo.perform", "--delay", "-1"], "seconds, 0 or more"),
        (["zoo.perform", "--priority", "10"], "invalid choice"),
    ],
)
def test_a_wrong_enqueue_is_exit_code_two_and_writes_nothing(argv: list[str], said: str, broker: Broker) -> None:
    answer = Answer("enqueue", *argv)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert Job.objects.count() == 0


# ---------------------------------------------------------------- retry and cancel
def test_retry_by_id_and_by_filter(broker: Broker) -> None:
    first, second, third = make(State.FAILED), make(State.CANCELLED), make(State.FAILED, queue="email")
    assert Answer("retry", str(first.id), str(second.id)).out.strip() == "2 of 2 retried"
    found = Answer("retry", "--state", "failed", "--json").json
    assert found == {"done": [str(third.id)], "refused": []}
    assert set(Job.objects.values_list("state", flat=True)) == {"waiting"}


def test_what_is_refused_is_named_and_the_rest_is_done(broker: Broker) -> None:
    good, bad = make(State.FAILED), make(State.COMPLETED)
    said = Answer("retry", str(good.id), str(bad.id))
    assert (said.code, said.out.strip()) == (1, "1 of 2 retried")
    assert f"{bad.id} is completed" in said.err
    assert fresh(good).state == "waiting"


def test_cancel_keeps_the_reason(broker: Broker) -> None:
    job, running = make(), make(State.ACTIVE)
    said = Answer("cancel", str(job.id), str(running.id), "--reason", "wrong number")
    assert said.out.strip() == "2 of 2 cancelled or asked to stop"
    assert (fresh(job).error, fresh(running).cancel_requested) == ("wrong number", True)
    assert Answer("cancel", str(make().id), "--reason", " ").code == 1


def test_promote_lets_a_delayed_job_run_now(broker: Broker) -> None:
    job, waiting = make(State.DELAYED, available_at=now() + HOUR), make()
    said = Answer("promote", str(job.id), str(waiting.id))
    assert (said.code, said.out.strip()) == (1, "1 of 2 promoted")
    assert f"{waiting.id} is waiting" in said.err
    assert fresh(job).state == "waiting"
    assert broker.task_ids() == [f"{job.id}.1"]
    assert Answer("promote", "--state", "delayed", "--json").json == {"done": [], "refused": []}


@pytest.mark.parametrize("verb", ["retry", "cancel", "promote"])
def test_to_name_no_job_or_too_many_ways_is_exit_code_two(verb: str) -> None:
    job = make()
    assert (Answer(verb).code, Answer(verb, str(job.id), "--queue", "general").code) == (2, 2)
    assert fresh(job).state == "waiting"


def test_a_filter_that_matches_nothing_is_no_error() -> None:
    assert Answer("cancel", "--queue", "payment").out.strip() == "0 of 0 cancelled or asked to stop"


# ---------------------------------------------------------------- pause and resume
def test_pause_and_resume(broker: Broker) -> None:
    job = make()
    said = Answer("pause", "general", "--reason", "test", "--for", "60")
    held = QueuePause.objects.get()
    assert (said.code, said.out.strip(), held.reason) == (0, "general is paused", "test")
    assert held.until is not None
    assert 55 < (held.until - now()).total_seconds() <= 60
    assert Answer("resume", "general").out.strip() == "general is resumed"
    assert broker.task_ids() == [f"{job.id}.1"]
    again = Answer("resume", "general")
    assert (again.code, "was not paused by an operator" in again.err) == (1, True)


def test_resume_tells_who_else_holds_the_queue(broker: Broker) -> None:
    queues.pause("general", reason="errors", owner="breaker")
    said = Answer("resume", "general")
    assert (said.code, "by breaker: errors" in said.err) == (1, True)
    Answer("pause", "general", "--reason", "test")
    assert "still paused by breaker: errors" in Answer("resume", "general").out
    Answer("pause", "general", "--reason", "test")
    assert Answer("resume", "general", "--json").json == {"queue": "general", "paused": True}


@pytest.mark.parametrize(
    "argv",
    [["pause", "emial", "--reason", "x"], ["resume", "emial"], ["pause", "email", "--reason", " "], ["pause", "email"]],
)
def test_a_wrong_pause_is_exit_code_two(argv: list[str]) -> None:
    assert Answer(*argv).code == 2
    assert QueuePause.objects.count() == 0


def test_a_verb_that_does_not_exist_is_exit_code_two() -> None:
    assert Answer("fly").code == 2


def test_limit_and_unlimit(broker: Broker) -> None:
    said = Answer("limit", "general", "--concurrency", "2", "--rate", "100/5m")
    assert (said.code, said.out.strip()) == (0, "general runs at most 2 at once, 100 starts in 300 s")
    assert "general runs at most 2 at once" in Answer("stats").out
    assert Answer("unlimit", "general", "--dry-run").out.strip() == "the limits of general would be lifted"
    assert QueueLimit.objects.count() == 1
    assert Answer("unlimit", "general").out.strip() == "the limits of general are lifted"
    again = Answer("unlimit", "general")
    assert (again.code, "general has no limits." in again.err) == (1, True)


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["limit", "emial", "--concurrency", "1"], "email"),
        (["limit", "email"], "A limit says how many"),
        (["limit", "email", "--concurrency", "0"], "To stop a queue, pause it"),
        (["limit", "email", "--rate", "fast"], "A rate is written 10/s"),
        (["unlimit", "emial"], "email"),
    ],
)
def test_a_wrong_limit_is_exit_code_two_and_says_what_to_write(argv: list[str], text: str) -> None:
    said = Answer(*argv)
    assert (said.code, text in said.err) == (2, True)
    assert QueueLimit.objects.count() == 0


def test_a_rehearsed_limit_limits_nothing() -> None:
    said = Answer("limit", "email", "--rate", "10/s", "--dry-run", "--json")
    assert said.json == {"queue": "email", "concurrency": None, "rate": 10, "period": 1.0, "dry_run": True}
    assert QueueLimit.objects.count() == 0
