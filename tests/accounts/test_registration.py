"""POST /api/auth/register, from outside."""

from __future__ import annotations

import json
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

URL = "/api/auth/register"
ADA: dict[str, Any] = {
    "email": "ada@example.com",
    "password": "Analytical-1843",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "role": "freelancer",
}


def register(**changes: Any) -> Any:
    """The answer to a registration; a change to None leaves the member out."""
    body = {name: value for name, value in (ADA | changes).items() if value is not None}
    return Client(raise_request_exception=False).post(URL, body, content_type="application/json")


def assert_problem(answer: Any, status: int, *fields: str) -> None:
    """The answer is a problem that names exactly these fields."""
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    members = answer.json()
    assert (members["type"], members["status"], members["instance"]) == ("about:blank", status, URL)
    assert members["title"]
    assert members["detail"]
    assert sorted(members.get("errors", {})) == sorted(fields)
    assert all(isinstance(text, str) for texts in members.get("errors", {}).values() for text in texts)


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

    monkeypatch.setattr(services.notifications, "send", broken)
    answer = register()
    assert_problem(answer, 500)
    assert "secret detail" not in answer.content.decode()
    assert not User.objects.exists()


NUL, SURROGATE, HUGE = "a\0b", "a\ud800b", "x" * 100_000


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("email", [None, "", "nobody", "a@b", "ada@example.com\nBcc: x@y.de", f"{'x' * 250}@example.com", NUL + "@x.de",
                   SURROGATE + "@x.de", HUGE, 7, True, [], {}, '"a b"@example.com', '"a\x01"@example.com', "zoë@x.de"]),
        ("password", [None, "", "short", "12345678901", "password123", "ada@example.com", "lovelace", NUL * 9,
                      SURROGATE * 9, HUGE, 1234567890123, ["a"], {"a": 1}, False]),
        ("firstName", [None, "", "   ", "x" * 81, NUL, SURROGATE, HUGE, 7, 1.5, True, [], {}, "A\nBcc: x@y.de",
                       "see http://evil.example", "WWW.evil.example", "x\u2028y"]),
        ("lastName", [None, "", "x" * 81, NUL, SURROGATE, HUGE, 7, [], "https://evil.example"]),
        ("role", ["staff", "admin", "", "Client", 1, [], {}, NUL, SURROGATE, HUGE, True]),
        ("language", ["fr", "", "EN", 1, [], SURROGATE]),
        ("timeZone", ["Mars/Olympus", "", "localtime", "../../etc/passwd", NUL, HUGE, 1]),
        ("country", ["XX", "de", "DEU", "D", NUL, 1, []]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(field: str, values: list[Any]) -> None:
    for value in values:
        assert_problem(register(**{field: value}), 400, field)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_everything_that_is_wrong_is_named_at_once() -> None:
    answer = Client().post(URL, {}, content_type="application/json")
    assert_problem(answer, 400, "email", "password", "firstName", "lastName")


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["email", "password", "firstName", "role", "timeZone", "country"])
def test_null_is_no_value(field: str) -> None:
    answer = Client().post(URL, json.dumps(ADA | {field: None}), content_type="application/json")
    assert_problem(answer, 400, field)


@pytest.mark.django_db
@pytest.mark.parametrize("name", [r"\u0000", "O'Brien; DROP TABLE", "Zoë 🦊", "<b>Ada</b>", "{{ 7*7 }}", "%s", "张"])
def test_unusual_names_are_names(name: str) -> None:
    answer = register(firstName=name)
    assert answer.status_code == 201
    assert answer.json()["user"]["firstName"] == name


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"[]", b'"text"', b"7", b"null", b"true", b"[[1]]"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    assert_problem(Client().post(URL, body, content_type="application/json"), 400, "non_field_errors")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff\xfe", b'{"email": NaN}', b"[" * 100_000, b'{"a":' * 100_000, b'"\xed\xa0\x80"', b"1" * 5000,
     b'"' + b"x" * 2_700_000 + b'"'],
    ids=["cut", "no utf-8", "NaN", "deep list", "deep object", "surrogate", "long number", "large"],
)  # fmt: skip
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    assert_problem(Client().post(URL, body, content_type="application/json"), 400)


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["utf-16", "rot13", "bz2", "unicode_escape", "nonsense"])
def test_a_body_is_utf_8_whatever_its_charset_says(charset: str) -> None:
    body = json.dumps(ADA).encode()
    answer = Client().generic("POST", URL, body, content_type=f"application/json; charset={charset}")
    assert answer.status_code == 201


@pytest.mark.django_db
def test_other_formats_and_methods_are_refused() -> None:
    assert_problem(Client().post(URL, ADA), 415)
    assert_problem(Client().get(URL), 405)


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
