"""The admin's page of queues, and its list of workers."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.admin.workers import attach, standing
from jobs.database import now
from jobs.models import QueueLimit, QueuePause, Worker
from jobs.queues import pause
from jobs.states import State
from tests.jobs.operators import client, job_page, said, staff, superuser
from tests.jobs.rows import HOUR, SECOND, make, worker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker")]

QUEUES = "/admin/jobs/queuepause/"
PAUSE, RESUME = f"{QUEUES}email/pause/", f"{QUEUES}email/resume/"
LIMIT, UNLIMIT = f"{QUEUES}email/limit/", f"{QUEUES}email/unlimit/"
REASON = {"reason": "server is ill"}


def text_of(someone: Any, address: str = QUEUES) -> str:
    answer = someone.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


# ---------------------------------------------------------------- looking
def test_every_queue_is_there_with_its_depth_and_its_reason() -> None:
    make(queue="email")
    make(State.DELAYED, queue="payment")
    text = text_of(superuser())
    for name in ("email", "payment", "invoice", "general"):
        assert f'id="queue-{name}"' in text
    assert '?queue=email&amp;state=waiting">1</a>' in text
    assert '?queue=payment&amp;state=delayed">1</a>' in text
    assert "No living worker serves it, and jobs wait." in text
    assert "No keeper has ticked yet" in text


def test_a_pause_says_who_why_and_until_when() -> None:
    pause("email", reason="server is ill", by="admin:ada@example.com", until=now() + HOUR)
    pause("email", reason="too many errors", owner="breaker")
    text = text_of(superuser())
    for words in ("Paused by operator (admin:ada@example.com)", "server is ill", "ends <time", "Paused by breaker"):
        assert words in text


def test_the_page_costs_few_queries(django_assert_max_num_queries: Any) -> None:
    boss = superuser()
    with django_assert_max_num_queries(14):
        text_of(boss)


# ---------------------------------------------------------------- pausing
def test_a_queue_is_paused_with_a_reason_for_some_minutes() -> None:
    answer = staff("view_queuepause", "add_queuepause").post(PAUSE, REASON | {"minutes": "30"})
    assert answer.status_code == 302
    held = QueuePause.objects.get()
    assert (held.queue, held.owner, held.reason, held.by) == (
        "email",
        "operator",
        "server is ill",
        "admin:ada@example.com",
    )
    assert held.until is not None
    assert 29 * 60 < (held.until - now()).total_seconds() <= 30 * 60
    assert said(answer) == ["email is paused: what runs goes on, nothing new starts."]


def test_without_minutes_it_holds_until_resumed() -> None:
    superuser().post(PAUSE, REASON)
    assert QueuePause.objects.get().until is None


@pytest.mark.parametrize("data", [{}, {"reason": " "}, REASON | {"minutes": "0"}, REASON | {"minutes": "soon"}])
def test_a_pause_that_cannot_be_is_told_at_its_field(data: dict[str, str]) -> None:
    answer = superuser().post(PAUSE, data)
    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()
    assert not QueuePause.objects.exists()


def test_a_queue_is_resumed_but_nobody_elses_pause_is_lifted() -> None:
    boss = superuser()
    pause("email", reason="server is ill")
    pause("email", reason="too many errors", owner="breaker")
    assert said(boss.post(RESUME)) == ["The operators' pause of email is lifted."]
    assert [held.owner for held in QueuePause.objects.all()] == ["breaker"]
    assert "Resume email" not in text_of(boss)
    assert "email was not paused by operators." in said(boss.post(RESUME))


@pytest.mark.parametrize(("address", "right"), [(PAUSE, "add_queuepause"), (RESUME, "delete_queuepause")])
def test_pause_and_resume_need_a_permission_each(address: str, right: str) -> None:
    other = {"add_queuepause": "delete_queuepause", "delete_queuepause": "add_queuepause"}[right]
    assert staff("view_queuepause", other).post(address, REASON).status_code == 403
    assert client().post(address, REASON).status_code == 302, "to the login"
    assert not QueuePause.objects.exists()


def test_who_may_not_pause_sees_no_button() -> None:
    pause("payment", reason="x")
    text = text_of(staff("view_queuepause"))
    assert "<form" not in text.split('<div class="queues">')[1]


@pytest.mark.parametrize("verb", ["pause", "resume", "limit", "unlimit"])
def test_no_link_pauses_and_no_queue_is_invented(verb: str) -> None:
    boss = superuser()
    assert boss.get(f"{QUEUES}email/{verb}/").status_code == 405
    assert boss.post(f"{QUEUES}emial/{verb}/", REASON | {"concurrency": "1"}).status_code == 404


# ---------------------------------------------------------------- limiting
def test_a_queue_is_limited_and_let_free_again() -> None:
    boss = superuser()
    answer = boss.post(LIMIT, {"concurrency": "2", "rate": "100/5m"})
    assert said(answer) == ["email runs at most 2 at once, 100 starts in 300 s."]
    found = QueueLimit.objects.get()
    assert (found.queue, found.concurrency, found.rate, found.period) == ("email", 2, 100, 300.0)
    assert found.by.startswith("admin:")
    text = text_of(boss)
    assert 'value="100/5m"' in text
    assert "Runs at most 2 at once, 100 starts in 300 s." in text
    assert said(boss.post(UNLIMIT)) == ["The limits of email are lifted."]
    assert not QueueLimit.objects.exists()
    assert "email had no limits." in said(boss.post(UNLIMIT))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "A limit says how many"),
        ({"concurrency": "0"}, "greater than or equal to 1"),
        ({"rate": "fast"}, "A rate is written 10/s"),
    ],
)
def test_a_limit_that_cannot_be_is_told_in_the_form(data: dict[str, str], text: str) -> None:
    answer = superuser().post(LIMIT, data)
    assert answer.status_code == 400
    assert text in answer.content.decode()
    assert not QueueLimit.objects.exists()


@pytest.mark.parametrize("address", [LIMIT, UNLIMIT])
@pytest.mark.parametrize(
    ("rights", "status"), [(["add_queuepause", "delete_queuepause"], 403), (["change_queuelimit"], 302)], ids=str
)
def test_limiting_needs_a_permission_of_its_own(address: str, rights: list[str], status: int) -> None:
    assert staff("view_queuepause", *rights).post(address, {"concurrency": "1"}).status_code == status


# ---------------------------------------------------------------- workers
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "alive"),
        ({"stopping": True}, "leaving"),
        ({"ago": HOUR}, "gone"),
        ({"ago": HOUR, "stopping": True}, "gone"),
        ({"ago": HOUR, "stopped": True}, "left"),
    ],
    ids=str,
)
def test_a_worker_is_alive_leaving_left_or_gone(fields: dict[str, Any], expected: str) -> None:
    moment = now()
    given = {"seen_at": moment - fields.get("ago", 0 * SECOND), "stopping": fields.get("stopping", False)}
    one = worker(**given, stopped_at=moment if "stopped" in fields else None)
    attach([one])
    assert standing(one) == expected


def test_workers_say_what_they_do() -> None:
    boot = worker(name="w1@h", version="1.2.3", queues=["email", "general"])
    job = make(State.ACTIVE, worker=boot.pk)
    make(State.COMPLETED, worker=boot.pk)
    boss = superuser()
    for address in ("/admin/jobs/worker/", f"/admin/jobs/worker/{boot.pk}/change/"):
        text = text_of(boss, address)
        assert text.count("/admin/jobs/job/01") == 1
        for words in ("w1@h", "1.2.3", "email, general", "alive", job_page(job)):
            assert words in text


def test_workers_are_never_edited() -> None:
    boot = worker()
    boss = superuser()
    assert boss.post(f"/admin/jobs/worker/{boot.pk}/change/", {"name": "x"}).status_code == 403
    assert boss.post(f"/admin/jobs/worker/{boot.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Worker.objects.get().name == "w@h"


def test_the_list_of_workers_costs_few_queries(django_assert_max_num_queries: Any) -> None:
    for _ in range(20):
        make(State.ACTIVE, worker=worker().pk)
    boss = superuser()
    with django_assert_max_num_queries(8):
        text_of(boss, "/admin/jobs/worker/")
