"""The queue-admin API: the seed's three calls, and what operators need beside them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs import lifecycle, limits, queues
from jobs.database import now
from jobs.models import QueueLimit, QueuePause
from jobs.outcomes import Outcome, Verdict
from jobs.states import State
from tests.jobs.operators import client, person, staff, superuser
from tests.jobs.rows import HOUR, fresh, make, taken, worker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker")]


def failed(**fields: Any) -> Any:
    """A job that failed once, for good."""
    job = make(max_attempts=1, **fields)
    error = Verdict(
        outcome=Outcome.FAILED,
        state=State.FAILED,
        failures=1,
        error_class="ValueError",
        error="no such account",
        traceback="Traceback …\nValueError: no such account",
    )
    lifecycle.finish(taken(job), error)
    return fresh(job)


def ms(moment: datetime | None) -> int:
    assert moment is not None
    return round(moment.timestamp() * 1000)


def path_of(job: Any, move: str = "") -> str:
    return f"/api/queues/{job.queue}/jobs/{job.id}{move and '/' + move}"


def send(someone: Client, method: str, path: str, body: Any = None) -> Any:
    return getattr(someone, method)(path, body, content_type="application/json")


# ---------------------------------------------------------------- the seed's three calls
def test_status_counts_each_queues_jobs_by_state() -> None:
    make(queue="email")
    make(State.DELAYED, queue="email")
    failed()
    answer = superuser().get("/api/queues/status")
    assert answer.status_code == 200
    assert set(answer.json()) == {"email", "payment", "invoice", "general"}
    counts = answer.json()["email"]
    assert {name: counts[name] for name in ("waiting", "active", "completed", "failed", "delayed")} == {
        "waiting": 1,
        "active": 0,
        "completed": 0,
        "failed": 0,
        "delayed": 1,
    }
    assert answer.json()["general"]["failed"] == 1


def test_a_failed_job_looks_as_bullmq_shows_it() -> None:
    job = failed(args={"account": 7}, priority=2)
    assert superuser().get(path_of(job)).json() == {
        "id": str(job.id),
        "name": "zoo.perform",
        "data": {"account": 7},
        "opts": {"attempts": 1, "delay": 0, "priority": 2, "backoff": {"type": "exponential", "delay": 2000}},
        "progress": 0,
        "attemptsMade": 1,
        "timestamp": ms(job.created_at),
        "processedOn": ms(job.started_at),
        "finishedOn": ms(job.finished_at),
        "failedReason": "no such account",
        "stacktrace": ["Traceback …\nValueError: no such account"],
        "returnvalue": None,
    }


def test_what_has_not_happened_is_left_out_as_bullmq_leaves_it_out() -> None:
    shown = superuser().get(path_of(make())).json()
    assert not {"finishedOn", "processedOn", "failedReason", "parentKey"} & set(shown)
    assert (shown["progress"], shown["attemptsMade"], shown["stacktrace"], shown["returnvalue"]) == (0, 0, [], None)


def test_a_completed_job_has_its_result_and_progress() -> None:
    job = make(progress={"done": 3})
    lifecycle.finish(taken(job), Verdict(outcome=Outcome.COMPLETED, state=State.COMPLETED, result={"sent": 3}))
    shown = superuser().get(path_of(job)).json()
    assert (shown["returnvalue"], shown["progress"], shown["attemptsMade"]) == ({"sent": 3}, {"done": 3}, 1)
    assert "failedReason" not in shown


def test_a_delayed_job_says_for_how_many_milliseconds() -> None:
    job = make(State.DELAYED, available_at=now() + HOUR)
    assert 3_590_000 < superuser().get(path_of(job)).json()["opts"]["delay"] <= 3_600_000


def test_a_failed_job_is_retried() -> None:
    job = failed()
    answer = superuser().post(path_of(job, "retry"))
    assert (answer.status_code, answer.json()) == (200, {"message": f"Job {job.id} retried successfully"})
    assert (fresh(job).state, fresh(job).failures) == ("waiting", 0)


@pytest.mark.parametrize("state", [State.WAITING, State.DELAYED, State.ACTIVE, State.COMPLETED, State.UNKNOWN])
def test_a_job_that_did_not_fail_is_not_retried(state: State) -> None:
    job = make(state)
    answer = superuser().post(path_of(job, "retry"))
    assert (answer.status_code, answer.json()["error"]) == (400, f"Job {job.id} is not in failed state")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert fresh(job).state == state


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("emial/jobs/{id}", "Queue emial not found"),
        ("email/jobs/{id}", "Job {id} not found"),
        ("general/jobs/17", "Job 17 not found"),
        ("general/jobs/01a20e33-69d9-715f-9423-faa2537312cd", "Job 01a20e33-69d9-715f-9423-faa2537312cd not found"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_queue_or_job_is_a_404(method: str, path: str, text: str) -> None:
    job = failed()
    where = f"/api/queues/{path.format(id=job.id)}{'/retry' if method == 'post' else ''}"
    answer = getattr(superuser(), method)(where)
    assert (answer.status_code, answer.json()["error"]) == (404, text.format(id=job.id))


# ---------------------------------------------------------------- finding
def ids(someone: Client, query: str) -> list[str]:
    answer = someone.get(f"/api/jobs?{query}")
    assert answer.status_code == 200, answer.content
    return [job["id"] for job in answer.json()["jobs"]]


def test_jobs_are_found_by_what_is_named() -> None:
    boss = superuser()
    first, second = make(queue="email", subject="escrow:42", tags=["vip"]), failed(kind="zoo.other")
    assert ids(boss, "") == [str(second.id), str(first.id)]
    for query, found in (
        ("queue=email", first),
        ("state=failed", second),
        ("kind=zoo.other", second),
        ("subject=escrow:42", first),
        ("tag=vip", first),
        ("search=account", second),
        (f"search={first.id}", first),
    ):
        assert ids(boss, query) == [str(found.id)], query
    assert ids(boss, "queue=email&state=failed") == []


def test_pages_follow_each_other_without_a_gap() -> None:
    boss = superuser()
    made = [str(make().id) for _ in range(120)]
    found: list[str] = []
    before: str | None = ""
    while before is not None:
        answer = boss.get(f"/api/jobs{before and '?before=' + before}").json()
        found += [job["id"] for job in answer["jobs"]]
        before = answer["nextBefore"]
    assert found == sorted(made, reverse=True)


@pytest.mark.parametrize(
    ("query", "field"), [("state=gone", "state"), ("before=17", "before"), ("kind=%00", "kind"), ("tag=%00", "tag")]
)
def test_a_filter_that_makes_no_sense_is_refused_at_its_name(query: str, field: str) -> None:
    answer = superuser().get(f"/api/jobs?{query}")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {field}


def test_a_page_costs_the_same_for_one_job_and_for_fifty() -> None:
    boss = superuser()
    make()
    with CaptureQueriesContext(connection) as few:
        ids(boss, "")
    for _ in range(49):
        make()
    with CaptureQueriesContext(connection) as many:
        ids(boss, "")
    assert len(few) == len(many)


# ---------------------------------------------------------------- moving
def test_a_job_is_cancelled_with_a_reason_and_without_one_it_is_not() -> None:
    job, boss = make(), superuser()
    assert send(boss, "post", path_of(job, "cancel"), {}).status_code == 400
    answer = send(boss, "post", path_of(job, "cancel"), {"reason": "sent by mistake"})
    assert (answer.status_code, answer.json()["message"]) == (200, f"Job {job.id} is cancelled")
    assert (fresh(job).state, fresh(job).error) == ("cancelled", "sent by mistake")
    again = send(boss, "post", path_of(job, "cancel"), {"reason": "x"})
    assert (again.status_code, "only a waiting, delayed or active job" in again.json()["error"]) == (400, True)


def test_a_delayed_job_is_promoted() -> None:
    job, boss = make(State.DELAYED, available_at=now() + HOUR), superuser()
    assert boss.post(path_of(job, "promote")).status_code == 200
    assert fresh(job).state == "waiting"
    assert boss.post(path_of(job, "promote")).status_code == 400


# ---------------------------------------------------------------- queues
def test_a_queue_says_how_it_stands_and_why_nothing_runs() -> None:
    worker(name="w1@h")
    limits.limit("general", concurrency=1)
    taken(make())
    make()
    queues.pause("email", reason="server is ill", owner="breaker")
    boss = superuser()
    general, email = boss.get("/api/queues/general").json(), boss.get("/api/queues/email").json()
    assert (general["counts"]["waiting"], general["counts"]["active"], general["workers"]) == (1, 1, ["w1@h"])
    assert general["limits"] == {"concurrency": 1, "rate": None, "period": None}
    assert general["why"] == "no keeper ticks: delayed jobs do not become due; start celery beat"
    assert (email["pauses"][0]["owner"], email["pauses"][0]["reason"]) == ("breaker", "server is ill")
    assert email["why"] == "paused by breaker: server is ill"


def test_a_queue_is_paused_and_resumed() -> None:
    boss = superuser()
    answer = send(boss, "put", "/api/queues/email/pause", {"reason": "server is ill", "seconds": 60})
    assert answer.status_code == 200
    held = QueuePause.objects.get()
    assert (held.reason, held.by, held.until is not None) == ("server is ill", "api:boss@example.com", True)
    assert answer.json()["pauses"][0]["until"] is not None
    assert boss.delete("/api/queues/email/pause").json()["pauses"] == []
    assert boss.delete("/api/queues/email/pause").status_code == 200, "it is not paused, as was asked"


def test_a_queue_is_limited_and_let_free_again() -> None:
    boss = superuser()
    answer = send(boss, "put", "/api/queues/email/limits", {"rate": 10, "period": 60})
    assert answer.json()["limits"] == {"concurrency": None, "rate": 10, "period": 60.0}
    assert boss.delete("/api/queues/email/limits").json()["limits"] is None


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("pause", {}, "reason"),
        ("pause", {"reason": " "}, "reason"),
        ("pause", {"reason": "x", "seconds": 0}, "seconds"),
        ("limits", {}, "A limit says how many"),
        ("limits", {"rate": 10}, "A rate needs its period"),
        ("limits", {"concurrency": 0}, "concurrency"),
        ("limits", {"concurrency": "many"}, "concurrency"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(path: str, body: dict[str, Any], text: str) -> None:
    answer = send(superuser(), "put", f"/api/queues/email/{path}", body)
    assert answer.status_code == 400
    assert text in answer.content.decode()
    assert not QueuePause.objects.exists()
    assert not QueueLimit.objects.exists()


# ---------------------------------------------------------------- who may
ROOM = [
    ("get", "/api/queues/status", "view_job"),
    ("get", "/api/jobs", "view_job"),
    ("get", "/api/queues/general", "view_queuepause"),
    ("get", "/api/queues/general/jobs/{id}", "view_job"),
    ("post", "/api/queues/general/jobs/{id}/retry", "retry_job"),
    ("post", "/api/queues/general/jobs/{id}/promote", "promote_job"),
    ("post", "/api/queues/general/jobs/{id}/cancel", "cancel_job"),
    ("put", "/api/queues/general/pause", "add_queuepause"),
    ("delete", "/api/queues/general/pause", "delete_queuepause"),
    ("put", "/api/queues/general/limits", "change_queuelimit"),
    ("delete", "/api/queues/general/limits", "change_queuelimit"),
]
RIGHTS = sorted({right for _, _, right in ROOM})


@pytest.mark.parametrize(("method", "path", "right"), ROOM)
def test_each_call_needs_its_own_permission(method: str, path: str, right: str) -> None:
    job = failed()
    where = path.format(id=job.id)
    others = staff(*(name for name in RIGHTS if name != right))
    refused = send(others, method, where, {"reason": "x", "concurrency": 1})
    assert (refused.status_code, refused.json()["error"]) == (403, refused.json()["detail"])
    assert send(client(person("client")), method, where).status_code == 403, "a client of the platform"
    assert send(Client(), method, where).status_code == 401
    assert fresh(job).state == "failed"
    assert not QueuePause.objects.exists()


@pytest.mark.parametrize(("method", "path", "right"), ROOM)
def test_with_its_permission_each_call_is_allowed(method: str, path: str, right: str) -> None:
    where = path.format(id=failed().id)
    answer = send(staff(right), method, where, {"reason": "x", "concurrency": 1})
    assert answer.status_code in (200, 400), "400: a failed job is neither promoted nor cancelled"


def test_times_are_milliseconds_of_utc() -> None:
    job = make()
    shown = superuser().get(path_of(job)).json()["timestamp"]
    assert abs(datetime.fromtimestamp(shown / 1000, tz=UTC) - job.created_at).total_seconds() < 0.001
