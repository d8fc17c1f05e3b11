"""The plain list of jobs for staff: read-only, and for staff only."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jobs import queues
from jobs.admin import paging
from jobs.database import now
from jobs.ids import uuid7
from jobs.models import Attempt, Job, JobLog
from jobs.states import State
from tests.jobs.operators import client, person, staff, superuser
from tests.jobs.rows import HOUR, make, worker

pytestmark = pytest.mark.django_db

LISTS = ["job", "queuepause", "worker"]


@pytest.fixture
def boss() -> Client:
    return superuser()


def page(name: str) -> str:
    return reverse(f"admin:jobs_{name}_changelist")


@pytest.mark.parametrize("name", LISTS)
def test_a_superuser_sees_the_lists(boss: Client, name: str) -> None:
    make(State.FAILED, error="first line\nsecond line", subject="escrow:42")
    queues.pause("email", reason="server is ill")
    worker(name="w1@h")
    answer = boss.get(page(name))
    assert answer.status_code == 200
    text = answer.content.decode()
    assert {"job": "escrow:42", "queuepause": "server is ill", "worker": "w1@h"}[name] in text
    assert "second line" not in text


def test_a_superuser_sees_one_job_with_its_attempts_and_log(boss: Client) -> None:
    moment, job = now(), make(State.FAILED, args={"number": 7})
    JobLog.objects.create(job=job, run=1, line="half way there")
    Attempt.objects.create(
        job=job,
        number=1,
        due_at=moment,
        started_at=moment,
        finished_at=moment,
        outcome="failed",
        message="no such mail",
    )
    answer = boss.get(reverse("admin:jobs_job_change", args=[job.pk]))
    assert answer.status_code == 200
    assert "half way there" in answer.content.decode()
    assert "no such mail" in answer.content.decode()


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "role", [None, {"role": "client"}, {"role": "staff"}, {"role": "client", "is_active": False}], ids=str
)
def test_who_has_no_admin_access_is_sent_to_the_login(name: str, role: dict[str, Any] | None) -> None:
    answer = client(person(**role) if role else None).get(page(name))
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]


@pytest.mark.parametrize("name", LISTS)
def test_staff_without_the_permission_is_refused(name: str) -> None:
    assert staff().get(page(name)).status_code == 403


def test_staff_with_the_permission_to_look_may_look() -> None:
    assert staff("view_job").get(page("job")).status_code == 200


def found(boss: Client, term: str) -> set[Any]:
    answer = boss.get(page("job"), {"q": term})
    assert answer.status_code == 200
    return {job.pk for job in answer.context["cl"].result_list}


def test_jobs_are_found_by_id_kind_subject_tag_and_error(boss: Client) -> None:
    one, two = make(subject="escrow:42"), make(kind="zoo.mail", tags=["vip", "monthly"])
    three = make(State.FAILED, error="SMTP said: 421 try again")
    four = make(State.UNKNOWN, error="421 perhaps sent")
    make(State.DELAYED, error="421 as well")
    assert found(boss, str(one.pk)) == {one.pk}
    assert found(boss, one.pk.hex) == {one.pk}
    assert found(boss, "zoo.mail") == {two.pk}
    assert found(boss, "escrow:42") == {one.pk}
    assert found(boss, "vip") == {two.pk}
    assert found(boss, "smtp SAID") == {three.pk}
    assert found(boss, "421") == {three.pk, four.pk}, "among failed and unknown jobs only"


def test_a_word_that_means_several_things_is_the_first_unless_it_is_named(boss: Client) -> None:
    kind, subject, tag = make(kind="x"), make(subject="x"), make(tags=["x"])
    error = make(State.FAILED, error="x")
    assert found(boss, "x") == {kind.pk}
    assert [found(boss, f"{way}:x") for way in ("kind", "subject", "tag", "error")] == [
        {kind.pk},
        {subject.pk},
        {tag.pk},
        {error.pk},
    ]
    assert found(boss, "id:x") == set()
    assert found(boss, "subject: x ") == {subject.pk}


def test_a_search_holds_within_the_filters(boss: Client) -> None:
    job = make(subject="escrow:42", queue="email")
    make(subject="escrow:42")
    answer = boss.get(page("job"), {"q": "escrow:42", "queue": "email"})
    assert {one.pk for one in answer.context["cl"].result_list} == {job.pk}


@pytest.mark.parametrize("term", ["escrow", "01a20bf9", "'; drop table", "%", "🦊", "x" * 5000])
def test_anything_else_finds_nothing_and_breaks_nothing(boss: Client, term: str) -> None:
    make(subject="escrow:42")
    assert found(boss, term) == set()


def test_an_id_with_spaces_around_it_is_found(boss: Client) -> None:
    job = make()
    assert found(boss, f" {job.pk} ") == {job.pk}


def chosen(boss: Client, **filters: str) -> set[Any]:
    answer = boss.get(page("job"), filters)
    assert answer.status_code == 200
    return {job.pk for job in answer.context["cl"].result_list}


def test_the_list_filters_by_state_queue_and_kind(boss: Client) -> None:
    failed, mail = make(State.FAILED), make(queue="email", kind="zoo.mail")
    once = make(kind="zoo.typed_once")
    assert chosen(boss, state="failed", queue="general") == {failed.pk}
    assert chosen(boss, queue="email") == {mail.pk}
    assert chosen(boss, kind="zoo.mail") == {mail.pk}
    assert chosen(boss, kind="zoo.typed") == {once.pk}, "its former names count"
    assert chosen(boss, kind="no.such") == set()


def test_the_list_filters_by_the_time_in_the_id(boss: Client) -> None:
    hours = {n: make(id=id_of(now() - n * HOUR)) for n in (0, 2, 30, 24 * 8)}
    for period, ages in {"hour": (0,), "day": (0, 2), "week": (0, 2, 30), "year": hours}.items():
        assert chosen(boss, within=period) == {hours[n].pk for n in ages}


def id_of(moment: Any) -> UUID:
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | (uuid7().int & ((1 << 80) - 1)))


def test_pages_lead_to_the_newest_and_a_link_to_the_older_ones(boss: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(paging, "LIMIT", 60)
    jobs = [make() for _ in range(70)]
    text = boss.get(page("job")).content.decode()
    assert "more than 60 jobs" in text
    assert "Select all more than 60 matching jobs" in text
    older = re.search(r'href="(\?id__lt=[^"]+)">older', text)
    assert older
    answer = boss.get(page("job") + older[1])
    assert {job.pk for job in answer.context["cl"].result_list} == {job.pk for job in jobs[:10]}
    assert "10 jobs" in answer.content.decode()


def test_the_list_says_state_description_runs_age_and_length(boss: Client) -> None:
    make(
        State.COMPLETED,
        kind="zoo.typed",
        args={"key": "01a20bf9-b03d-73b4-8fb5-501628c94120"},
        runs=2,
        started_at=now() - HOUR,
        finished_at=now() - HOUR / 2,
        created_at=now() - 3 * HOUR,
    )
    text = boss.get(page("job")).content.decode()
    for words in ("✓</span> completed", "Look at 01a20bf9", "zoo.typed", "2 / 3", "3 h 0 min ago", "30 min 0 s"):
        assert words in text


def test_a_kind_whose_words_fail_fails_no_list(boss: Client) -> None:
    make(kind="zoo.typed", args={"key": "no uuid"})
    make(kind="long.gone", args={"a": 1})
    assert boss.get(page("job")).status_code == 200


@pytest.mark.parametrize("job_id", ["12", "not-an-id", "01a20bf9-b03d-73b4-8fb5-501628c94120"])
def test_a_broken_or_unknown_id_is_no_server_error(boss: Client, job_id: str) -> None:
    assert boss.get(f"/admin/jobs/job/{job_id}/change/").status_code in (302, 404)


def test_nobody_changes_anything_here(boss: Client) -> None:
    job = make()
    assert boss.get("/admin/jobs/job/add/").status_code == 403
    assert boss.post(f"/admin/jobs/job/{job.pk}/change/", {"state": "completed"}).status_code == 403
    assert boss.post(f"/admin/jobs/job/{job.pk}/delete/", {"post": "yes"}).status_code == 403
    boss.post(page("job"), {"action": "delete_selected", "_selected_action": [str(job.pk)], "post": "yes"})
    assert Job.objects.get().state == "waiting"


def test_the_list_costs_few_queries_reads_no_heavy_column_and_counts_nothing(boss: Client) -> None:
    for _ in range(60):
        make(subject=str(uuid7()), error="e" * 500)
    boss.get(page("job"))
    with CaptureQueriesContext(
        connection,
    ) as seen:
        boss.get(page("job"))
    asked = [query["sql"] for query in seen.captured_queries]
    assert len(asked) <= 6
    assert not [sql for sql in asked if "COUNT(" in sql]
    (line,) = [sql for sql in asked if '"jobs_job"."kind"' in sql]
    assert not re.search(r'(?<!LEFT\()"jobs_job"."(result|options|error|sealed_args)"(,| FROM)', line)
