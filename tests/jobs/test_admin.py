"""The plain list of jobs for staff: read-only, and for staff only."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from jobs import queues
from jobs.database import now
from jobs.ids import uuid7
from jobs.models import Attempt, Job, JobLog
from jobs.states import State
from tests.jobs.rows import make, worker

pytestmark = pytest.mark.django_db

LISTS = ["job", "queuepause", "worker"]


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.SECURE_SSL_REDIRECT = False


def user(name: str, **fields: Any) -> Any:
    return get_user_model().objects.create(email=f"{name}@example.com", first_name=name, last_name="x", **fields)


def client(person: Any) -> Client:
    found = Client()
    if person:
        found.force_login(person)
    return found


@pytest.fixture
def boss() -> Client:
    return client(user("boss", role="staff", is_staff=True, is_superuser=True))


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
    answer = client(user("ada", **role) if role else None).get(page(name))
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]


@pytest.mark.parametrize("name", LISTS)
def test_staff_without_the_permission_is_refused(name: str) -> None:
    assert client(user("ada", role="staff", is_staff=True)).get(page(name)).status_code == 403


def test_staff_with_the_permission_to_look_may_look() -> None:
    ada = user("ada", role="staff", is_staff=True)
    ada.user_permissions.add(Permission.objects.get(codename="view_job"))
    assert client(ada).get(page("job")).status_code == 200


def found(boss: Client, term: str) -> set[Any]:
    answer = boss.get(page("job"), {"q": term})
    assert answer.status_code == 200
    return {job.pk for job in answer.context["cl"].result_list}


def test_jobs_are_found_by_id_kind_and_subject_written_out(boss: Client) -> None:
    one, two = make(subject="escrow:42"), make(kind="zoo.mail")
    assert found(boss, str(one.pk)) == {one.pk}
    assert found(boss, one.pk.hex) == {one.pk}
    assert found(boss, "zoo.mail") == {two.pk}
    assert found(boss, "escrow:42") == {one.pk}
    assert found(boss, "") == {one.pk, two.pk}


@pytest.mark.parametrize("term", ["escrow", "01a20bf9", "'; drop table", "%", "🦊", "x" * 5000])
def test_anything_else_finds_nothing_and_breaks_nothing(boss: Client, term: str) -> None:
    make(subject="escrow:42")
    assert found(boss, term) == set()


def test_an_id_with_spaces_around_it_is_found(boss: Client) -> None:
    job = make()
    assert found(boss, f" {job.pk} ") == {job.pk}


def test_the_lists_filter_by_state_and_queue(boss: Client) -> None:
    failed = make(State.FAILED)
    make(queue="email")
    answer = boss.get(page("job"), {"state__exact": "failed", "queue": "general"})
    assert {job.pk for job in answer.context["cl"].result_list} == {failed.pk}


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


def test_the_admin_pages_of_many_jobs_cost_few_queries(boss: Client, django_assert_max_num_queries: Any) -> None:
    for _ in range(60):
        make(subject=str(uuid7()))
    with django_assert_max_num_queries(12):
        boss.get(page("job"))
