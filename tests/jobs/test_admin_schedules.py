"""Schedules in the admin: in plain words, checked when they are saved, run by hand."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from jobs.database import now
from jobs.models import Job
from jobs.schedules import fire_once
from tests.jobs.operators import client, said, staff, superuser
from tests.jobs.rows import HOUR, make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker")]

LIST = "/admin/django_celery_beat/periodictask/"


@pytest.fixture
def boss() -> Client:
    return superuser()


def every(number: int = 5) -> IntervalSchedule:
    return IntervalSchedule.objects.get_or_create(every=number, period="minutes")[0]


def entry(**fields: Any) -> PeriodicTask:
    given = {"name": "look", "task": "zoo.mail", "kwargs": '{"number": 1}', "interval": every()}
    return PeriodicTask.objects.create(**given | fields)


def save(someone: Client, address: str = f"{LIST}add/", **fields: Any) -> Any:
    given = {"name": "s", "task": "zoo.mail", "kwargs": '{"number": 1}', "enabled": "on", "interval": every().pk}
    return someone.post(address, {k: v for k, v in (given | fields).items() if v is not None})


def errors(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, "refused"
    return dict(answer.context["adminform"].form.errors)


# ---------------------------------------------------------------- the form
def test_a_schedule_of_a_known_kind_is_saved_and_fires(boss: Client) -> None:
    assert save(boss, queue="email", priority="0", expire_seconds="60").status_code == 302
    made = PeriodicTask.objects.get(name="s")
    assert (made.task, made.kwargs, made.args, made.queue, made.priority) == (
        "zoo.mail",
        '{"number": 1}',
        "[]",
        "email",
        0,
    )
    fire_once(now() + HOUR)
    job = Job.objects.get(schedule_id=made.pk)
    assert (job.args, job.queue, job.priority) == ({"number": 1}, "email", 0)


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"kwargs": '{"numbr": 1}'}, "kwargs", "did you mean 'number'"),
        ({"kwargs": "{}"}, "kwargs", "argument 'number' is missing"),
        ({"kwargs": ""}, "kwargs", "argument 'number' is missing"),
        ({"kwargs": '{"number": "x"}'}, "kwargs", "number: "),
        ({"kwargs": "number=1"}, "kwargs", "This is not JSON"),
        ({"kwargs": "[1]"}, "kwargs", "Arguments are a JSON object"),
        ({"task": "zoo.nothing"}, "task", "Select a valid choice"),
        (
            {"task": "zoo.secretive", "kwargs": '{"who": "a", "iban": "DE1"}'},
            "task",
            "has sensitive arguments (iban, pin)",
        ),
        ({"queue": "emial"}, "queue", "Select a valid choice"),
        ({"priority": "10"}, "priority", "Select a valid choice"),
        ({"interval": None}, "__all__", "One of clocked, interval, crontab"),
    ],
)
def test_what_the_keeper_would_refuse_is_refused_at_its_field(
    boss: Client, fields: dict[str, Any], field: str, sentence: str
) -> None:
    assert sentence in " ".join(errors(save(boss, **fields))[field])
    assert not PeriodicTask.objects.filter(name="s").exists()


def test_a_schedule_whose_kind_is_gone_can_be_given_another(boss: Client) -> None:
    made = entry(task="zoo.long_gone")
    address = f"{LIST}{made.pk}/change/"
    assert "zoo.long_gone (unknown)" in boss.get(address).content.decode()
    assert "unknown kind of job" in " ".join(errors(save(boss, address, task="zoo.long_gone"))["task"])
    assert save(boss, address).status_code == 302


def test_what_a_job_cannot_have_is_emptied_and_that_is_told(boss: Client) -> None:
    made = entry(args="[1]", headers='{"a": 1}', routing_key="x")
    answer = save(boss, f"{LIST}{made.pk}/change/")
    assert "Positional arguments were dropped: [1]" in said(answer)
    made.refresh_from_db()
    assert (made.args, made.headers, made.routing_key) == ("[]", "{}", None)


# ---------------------------------------------------------------- the list
def test_the_list_says_when_in_plain_words_and_what_came_of_it(boss: Client) -> None:
    nine = CrontabSchedule.objects.create(minute="0", hour="9", timezone="Europe/Berlin")
    made = entry(interval=None, crontab=nine, last_run_at=now() - HOUR)
    job = make("failed", schedule_id=made.pk, slot=now() - HOUR)
    make("completed", schedule_id=made.pk, slot=now() - 2 * HOUR)
    text = boss.get(LIST).content.decode()
    line = text[text.index("look") :]
    for words in ("At 09:00 AM", "Europe/Berlin", "1 h 0 min ago", "in ", str(job.pk), "failed"):
        assert words in line


def test_a_schedule_that_cannot_fire_says_why(boss: Client) -> None:
    entry(name="a", task="zoo.nothing")
    entry(name="b", kwargs='{"no": 1}')
    entry(name="c", args="[1]")
    text = boss.get(LIST).content.decode()
    for words in ("unknown kind of job", "unknown argument", "a job takes keyword arguments only"):
        assert words in text


def test_switched_on_again_it_makes_up_for_nothing(boss: Client) -> None:
    made = entry(enabled=False)
    PeriodicTask.objects.filter(pk=made.pk).update(date_changed=now() - 24 * HOUR)
    PeriodicTask.objects.exclude(pk=made.pk).update(enabled=False)
    boss.post(LIST, {"action": "enable", "index": "0", "_selected_action": [str(made.pk)]})
    assert PeriodicTask.objects.get(pk=made.pk).enabled
    assert fire_once(now()) == 0


def test_the_list_costs_few_queries(boss: Client, django_assert_max_num_queries: Any) -> None:
    for n in range(20):
        entry(name=f"s{n}", interval=every(n + 1))
    with django_assert_max_num_queries(9):
        boss.get(LIST)


# ---------------------------------------------------------------- by hand
def test_run_now_makes_one_job_and_links_to_it(boss: Client) -> None:
    made = entry()
    answer = boss.post(f"{LIST}{made.pk}/run/")
    job = Job.objects.get()
    assert (job.kind, job.enqueued_by, job.schedule_id) == ("zoo.mail", "schedule:look (by hand)", made.pk)
    assert str(job.pk) in said(answer)[0]


def test_run_now_of_a_broken_schedule_is_refused_in_words(boss: Client) -> None:
    made = entry(kwargs='{"no": 1}')
    assert "unknown argument 'no'" in said(boss.post(f"{LIST}{made.pk}/run/"))[0]
    assert not Job.objects.exists()


def test_run_now_is_an_action_too(boss: Client) -> None:
    made = [entry(name=n) for n in "ab"]
    boss.post(LIST, {"action": "run", "index": "0", "_selected_action": [str(one.pk) for one in made]})
    assert Job.objects.count() == 2


def test_run_now_needs_the_permission_to_change_and_a_post(boss: Client) -> None:
    address = f"{LIST}{entry().pk}/run/"
    assert staff("view_periodictask").post(address).status_code == 403
    assert client().post(address).status_code == 302
    assert boss.get(address).status_code == 405
    assert not Job.objects.exists()


@pytest.mark.parametrize(("right", "sees"), [("view_periodictask", True), ("view_job", False)])
def test_who_may_only_look_sees_the_schedule_and_no_form(right: str, sees: bool) -> None:
    made = entry()
    answer = staff(right).get(f"{LIST}{made.pk}/change/")
    assert answer.status_code == (200 if sees else 403)
    assert "Run now" not in answer.content.decode()


def test_sunrises_are_not_offered_intervals_crontabs_and_clocks_are(boss: Client) -> None:
    text = boss.get("/admin/django_celery_beat/").content.decode()
    for model, there in {"solar": False, "interval": True, "crontab": True, "clocked": True}.items():
        assert (f"/{model}schedule/" in text) == there
