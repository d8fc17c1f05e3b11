"""A forgotten password."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode
from rest_framework.throttling import ScopedRateThrottle

from contralock.accounts import passwords
from contralock.accounts.links import LinkRefused
from contralock.accounts.models import ApiToken, User
from jobs.models import Job
from notifications.models import Message
from tests.accounts.people import (
    OTHER_PASSWORD,
    Browser,
    Script,
    asked_reset,
    assert_problem,
    at_once,
    logged_in,
    mails,
    person,
    text_of,
    work,
)  # fmt: skip

pytestmark = pytest.mark.django_db(transaction=True)

KIND = "accounts.mail_password_reset"


def confirm(link: dict[str, str], password: str = OTHER_PASSWORD) -> Any:
    """Use the link."""
    return Browser().send("POST", "password/reset/confirm", link | {"newPassword": password})


def test_a_link_in_a_mail_sets_a_new_password() -> None:
    user = person(language="de")
    link = asked_reset()
    message = mails("password_reset")[0]
    assert (message.recipient, message.subject) == ("ada@example.com", "Neues Passwort setzen")
    assert "60 Minuten" in text_of(message)
    assert confirm(link).status_code == 204
    user.refresh_from_db()
    assert user.check_password(OTHER_PASSWORD)
    assert user.email_verified_at is not None, "who reads the mail owns the address"
    assert [mail.template for mail in Message.objects.order_by("created_at")] == ["password_reset", "password_changed"]


def test_a_reset_ends_every_session_and_revokes_every_token() -> None:
    browser = logged_in(person())
    token = browser.send("POST", "tokens", {"name": "x"}).json()["token"]
    assert confirm(asked_reset()).status_code == 204
    assert browser.email() is None
    assert_problem(Script(token).send("GET", "profile"), 401)
    assert not ApiToken.objects.exists()


def test_a_link_works_once() -> None:
    person()
    link = asked_reset()
    assert confirm(link).status_code == 204
    assert_problem(confirm(link, "Another-1799"), 400, "token")
    assert Browser().log_in(password=OTHER_PASSWORD).status_code == 200


def test_of_two_uses_at_the_same_moment_one_wins() -> None:
    person()
    link = asked_reset()

    def use(password: str) -> str:
        try:
            passwords.reset(**link, password=password, now=timezone.now())
        except LinkRefused:
            return "refused"
        return "set"

    outcomes = at_once(*(partial(use, f"Analytical-{n}-x") for n in range(3)))
    assert sorted(outcomes) == ["refused", "refused", "set"]
    assert len(mails("password_changed")) == 1


def test_a_password_that_is_too_weak_leaves_the_link_good() -> None:
    person()
    link = asked_reset()
    for weak in ("short", "12345678901", "ada@example.com", "password123"):
        answer = confirm(link, weak)
        assert_problem(answer, 400, "newPassword")
    assert confirm(link).status_code == 204


def test_the_answer_is_the_same_whether_there_is_an_account_or_not() -> None:
    person()
    person("off@example.com", is_active=False)
    person("sso@example.com", password=None)
    answers = [
        Browser().send("POST", "password/reset", {"email": email})
        for email in ("ada@example.com", "nobody@example.com", "off@example.com", "sso@example.com")
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == [(202, answers[0].content)] * 4
    assert Job.objects.filter(kind=KIND).count() == 4, "the same work for each"
    assert not Message.objects.exists()
    assert "nobody@example.com" not in str(list(Job.objects.values())), "what strangers type is sealed"
    work(KIND)
    assert [message.recipient for message in mails("password_reset")] == ["ada@example.com"]


def test_asking_again_in_the_same_minutes_mails_nothing_more_but_after_a_use_it_does() -> None:
    person()
    first = asked_reset()
    Browser().send("POST", "password/reset", {"email": "ADA@example.com"})
    work(KIND)
    assert len(mails("password_reset")) == 1
    assert confirm(first).status_code == 204
    second = asked_reset()
    assert second != first
    assert confirm(second, "Another-1799").status_code == 204


def test_a_link_expires(settings: Any) -> None:
    person()
    link = asked_reset()
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert_problem(confirm(link), 400, "token")


def test_a_link_is_void_after_a_login_and_after_a_change_of_address() -> None:
    person()
    link = asked_reset()
    Browser().log_in()
    assert_problem(confirm(link), 400, "token")
    fresh = asked_reset()
    User.objects.update(email="other@example.com")
    assert_problem(confirm(fresh), 400, "token")


def test_a_link_of_somebody_else_or_deactivated_is_refused() -> None:
    person()
    eve = person("eve@example.com")
    link = asked_reset()
    assert_problem(confirm(link | {"uid": urlsafe_base64_encode(str(eve.pk).encode())}), 400, "token")
    User.objects.update(is_active=False)
    assert_problem(confirm(link), 400, "token")


@pytest.mark.parametrize("uid", ["x", "AAAA", "MQ" * 20, "-1", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "٣", "////"])
def test_a_uid_that_is_none_is_refused(uid: str) -> None:
    person()
    assert_problem(confirm(asked_reset() | {"uid": uid}), 400, "token")


@pytest.mark.parametrize("change", [{"token": "x"}, {"token": "c0-" + "0" * 32}, {"token": "é-é"}])
def test_a_tampered_token_is_refused(change: dict[str, str]) -> None:
    person()
    assert_problem(confirm(asked_reset() | change), 400, "token")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["newPassword", "token", "uid"]),
        ({"uid": None, "token": 7, "newPassword": "a\0b"}, ["newPassword", "token", "uid"]),
        ({"uid": "x" * 65, "token": "x" * 129, "newPassword": "x" * 129}, ["newPassword", "token", "uid"]),
    ],
)
def test_what_is_no_confirmation_is_refused(body: Any, fields: list[str]) -> None:
    assert_problem(Browser().send("POST", "password/reset/confirm", body), 400, *fields)


@pytest.mark.parametrize("email", ["", None, "nobody", 7, "a\0@x.de", "x" * 300 + "@x.de", [], '"a b"@x.de'])
def test_what_is_no_address_is_refused(email: Any) -> None:
    assert_problem(Browser().send("POST", "password/reset", {"email": email}), 400, "email")


def test_too_many_requests_from_one_address_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"reset": "2/hour"})
    answers = [Browser().send("POST", "password/reset", {"email": f"{n}@x.de"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
