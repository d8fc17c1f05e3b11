"""Logging in with a session, and out; who am I."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.throttling import ScopedRateThrottle

from contralock.accounts.models import User
from tests.accounts.people import API, PASSWORD, Browser, assert_problem, logged_in, person

pytestmark = pytest.mark.django_db

NUL, HUGE = "a\0b", "x" * 100_000


def test_a_person_logs_in_and_sees_who_they_are() -> None:
    person(language="de")
    browser = Browser()
    answer = browser.log_in(" ADA@example.com ")
    assert answer.status_code == 200
    assert answer.json()["user"].items() >= {"email": "ada@example.com", "firstName": "Ada", "language": "de"}.items()
    assert answer.json()["csrfToken"]
    assert "csrftoken" in answer.cookies
    assert answer.cookies["sessionid"]["httponly"]
    assert "no-store" in answer["Cache-Control"]
    assert browser.email() == "ada@example.com"
    assert "password" not in answer.content.decode().replace("csrf", "")


def test_nobody_is_null_and_gets_a_csrf_token_too() -> None:
    answer = Browser().send("GET", "session")
    assert answer.status_code == 200
    assert answer.json()["user"] is None
    assert answer.json()["csrfToken"]
    assert "csrftoken" in answer.cookies


def test_wrong_passwords_unknown_addresses_and_inactive_people_get_the_same_answer() -> None:
    person()
    person("off@example.com", is_active=False)
    answers = [
        Browser().log_in("ada@example.com", "wrong"),
        Browser().log_in("nobody@example.com", PASSWORD),
        Browser().log_in("off@example.com", PASSWORD),
    ]
    for answer in answers:
        assert_problem(answer, 401)
        assert answer["WWW-Authenticate"] == "Token"
        assert answer.content == answers[0].content
        assert "sessionid" not in answer.cookies


def test_an_unknown_address_costs_a_hash_too(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(User, "set_password", lambda _self, raw: hashed.append(raw))
    Browser().log_in("nobody@example.com", "some password")
    assert hashed == ["some password"]


def test_the_session_that_somebody_planted_is_not_the_one_that_logs_in() -> None:
    person()
    browser = Browser()
    browser.session.save()
    planted = browser.session
    planted["seen"] = True
    planted.save()
    browser.cookies["sessionid"] = str(planted.session_key)
    before = browser.send("GET", "session").cookies["csrftoken"].value
    answer = browser.log_in()
    assert answer.status_code == 200
    assert answer.cookies["sessionid"].value != planted.session_key
    assert answer.cookies["csrftoken"].value != before
    stranger = Browser()
    stranger.cookies["sessionid"] = str(planted.session_key)
    assert stranger.email() is None


def test_a_browser_at_another_site_logs_nobody_in() -> None:
    person()
    browser = Browser()
    body = {"email": "ada@example.com", "password": PASSWORD}
    assert_problem(browser.send("POST", "login", body, headers={"Origin": "https://evil.example"}), 403)
    browser.send("GET", "session")
    assert_problem(browser.send("POST", "login", body, headers={"Origin": "https://evil.example"}), 403)
    assert browser.email() is None
    assert browser.send("POST", "login", body, headers={"Origin": "http://testserver"}).status_code == 200


def test_a_form_cannot_log_in() -> None:
    person()
    answer = Client().post(f"{API}login", {"email": "ada@example.com", "password": PASSWORD})
    assert_problem(answer, 415)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "logout", None),
        ("PATCH", "profile", {"city": "London"}),
        ("POST", "tokens", {"name": "x"}),
        ("DELETE", "tokens", None),
        ("POST", "password/change", {"currentPassword": PASSWORD, "newPassword": "Difference-1822"}),
        ("POST", "email/verify/resend", None),
        ("POST", "email/change", {"email": "new@example.com", "password": PASSWORD}),
        ("DELETE", "email/change", None),
    ],
)
def test_what_a_session_may_do_needs_the_csrf_token(method: str, path: str, body: Any) -> None:
    browser = logged_in(person())
    browser.cookies.pop("csrftoken")
    assert_problem(browser.send(method, path, body), 403)
    browser.send("GET", "session")
    assert browser.send(method, path, body).status_code < 300


def test_logging_out_ends_the_session() -> None:
    browser = logged_in(person())
    key = browser.cookies["sessionid"].value
    assert browser.send("POST", "logout").status_code == 204
    assert browser.email() is None
    browser.cookies["sessionid"] = key
    assert browser.email() is None
    assert Browser().send("POST", "logout").status_code == 204


def test_who_is_deactivated_is_nobody_at_once() -> None:
    user = person()
    browser = logged_in(user)
    User.objects.update(is_active=False)
    assert browser.email() is None
    assert_problem(browser.send("GET", "profile"), 401)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["email", "password"]),
        ({"email": None, "password": None}, ["email", "password"]),
        ({"email": 7, "password": True}, ["email", "password"]),
        ({"email": NUL, "password": NUL}, ["email", "password"]),
        ({"email": HUGE, "password": HUGE}, ["email", "password"]),
        ({"email": "\ud800", "password": "\ud800"}, ["email", "password"]),
        ({"email": "a@x.de", "password": "x", "next": "/admin"}, ["next"]),
        ([], ["non_field_errors"]),
        ("text", ["non_field_errors"]),
    ],
)
def test_what_is_no_login_is_refused(body: Any, fields: list[str]) -> None:
    assert_problem(Browser().send("POST", "login", body), 400, *fields)


def test_too_many_logins_from_one_address_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"login": "2/hour"})
    answers = [Browser().log_in(f"{n}@example.com") for n in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert int(answers[2]["Retry-After"]) > 0
