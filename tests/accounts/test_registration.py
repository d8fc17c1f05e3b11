"""POST /api/auth/register, from outside."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from rest_framework.throttling import ScopedRateThrottle

from contralock.accounts import services
from contralock.accounts.models import User
from jobs.models import Job
from notifications.models import Message
from tests.accounts.registering import ADA, URL, assert_problem, register


@pytest.mark.django_db
def test_a_person_registers_and_a_welcome_mail_is_on_its_way() -> None:
    answer = register(language="de", timeZone="Europe/Berlin", country="DE")
    user = User.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "message": "User created successfully",
        "user": {"id": user.pk, "email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace"},
    }
    assert user.check_password("Analytical-1843")
    assert (user.role, user.language, user.time_zone, user.country) == ("freelancer", "de", "Europe/Berlin", "DE")
    assert not user.is_staff
    message = Message.objects.get()
    assert (message.key, message.recipient, message.recipient_name) == (
        f"welcome:{user.pk}",
        "ada@example.com",
        "Ada Lovelace",
    )
    assert message.subject == "Willkommen bei ContraLock!"
    assert Job.objects.get().pk == message.job_id


@pytest.mark.django_db
def test_what_may_be_left_out_has_a_default() -> None:
    assert register(role=None).status_code == 201
    user = User.objects.get()
    assert (user.role, user.language, user.time_zone, user.country) == ("client", "en", "UTC", "")


@pytest.mark.django_db
@pytest.mark.parametrize("again", ["ada@example.com", "ADA@EXAMPLE.COM", " Ada@Example.com "])
def test_an_address_is_taken_whatever_its_case(again: str) -> None:
    register()
    answer = register(email=again)
    assert_problem(answer, 400, "email")
    assert answer.json()["errors"]["email"] == ["This email address is taken."]
    assert (User.objects.count(), Message.objects.count(), Job.objects.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_of_people_who_register_one_address_at_the_same_moment_one_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "email_taken", lambda *, email: False)  # nobody sees the others in time
    barrier = threading.Barrier(4)
    answers: list[Any] = []

    def race(email: str) -> None:
        barrier.wait()
        answers.append(register(email=email))
        connection.close()

    threads = [threading.Thread(target=race, args=[email]) for email in ("a@x.de", "A@x.de", "a@X.de", "A@X.DE")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [201, 400, 400, 400]
    for answer in answers:
        if answer.status_code == 400:
            assert_problem(answer, 400, "email")
    assert (User.objects.count(), Message.objects.count(), Job.objects.count()) == (1, 1, 1)


@pytest.mark.django_db
def test_without_a_welcome_mail_there_is_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_arguments: Any) -> None:
        raise RuntimeError("the mail's template is broken: secret detail")

    monkeypatch.setattr("notifications.services.send", broken)
    answer = register()
    assert_problem(answer, 500)
    assert "secret detail" not in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_too_many_from_one_address_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"register": "2/hour"})
    register(email="a@x.de")
    register(email="b@x.de")
    answer = register(email="c@x.de")
    assert_problem(answer, 429)
    assert 0 < int(answer["Retry-After"]) <= 3600
    elsewhere = Client(REMOTE_ADDR="10.1.2.3").post(URL, ADA | {"email": "d@x.de"}, content_type="application/json")
    assert elsewhere.status_code == 201
    assert User.objects.count() == 3


@pytest.mark.django_db
def test_a_forwarded_address_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"register": "1/hour"})
    answers = [
        Client(HTTP_X_FORWARDED_FOR=f"10.0.0.{n}").post(
            URL, ADA | {"email": f"{n}@x.de"}, content_type="application/json"
        )
        for n in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 429]


@pytest.mark.django_db(transaction=True)
def test_people_register_while_redis_is_away(settings: Any) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"  # and nothing was started for this test
    assert register().status_code == 201
    assert Job.objects.get().state == "waiting"


@pytest.mark.django_db
def test_a_browser_that_is_logged_in_may_register_somebody_else() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user(email="boss@example.com", password="x"))
    assert client.post(URL, ADA, content_type="application/json").status_code == 201
