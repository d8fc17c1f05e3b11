"""Changing a password with the old one."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.throttling import ScopedRateThrottle

from contralock.accounts.models import User
from tests.accounts.people import (
    OTHER_PASSWORD,
    PASSWORD,
    Browser,
    Script,
    assert_problem,
    logged_in,
    mails,
    person,
    text_of,
)  # fmt: skip

pytestmark = pytest.mark.django_db


def change(browser: Browser | Script, current: Any = PASSWORD, new: Any = OTHER_PASSWORD) -> Any:
    """Ask for the change."""
    return browser.send("POST", "password/change", {"currentPassword": current, "newPassword": new})


def test_this_session_goes_on_the_others_end_and_tokens_are_revoked() -> None:
    user = person()
    here, there = logged_in(user), logged_in(user)
    script = Script(here.send("POST", "tokens", {"name": "x"}).json()["token"])
    key = here.cookies["sessionid"].value
    assert change(here).status_code == 204
    assert here.email() == "ada@example.com"
    assert here.cookies["sessionid"].value != key
    assert there.email() is None
    assert_problem(script.send("GET", "profile"), 401)
    assert Browser().log_in(password=OTHER_PASSWORD).status_code == 200


def test_the_owner_is_told_and_what_to_do_if_it_was_not_them() -> None:
    change(logged_in(person()))
    (message,) = mails("password_changed")
    assert message.recipient == "ada@example.com"
    assert "It was not you?" in text_of(message)
    assert "http://testserver/account/forgot" in text_of(message)


def test_a_script_changes_the_password_too_and_is_out_then() -> None:
    script = Script(logged_in(person()).send("POST", "tokens", {"name": "x"}).json()["token"])
    assert change(script).status_code == 204
    assert_problem(script.send("GET", "profile"), 401)


def test_the_old_password_is_needed() -> None:
    browser = logged_in(person())
    assert_problem(change(browser, current="wrong"), 400, "currentPassword")
    assert User.objects.get().check_password(PASSWORD)
    assert not mails("password_changed")
    assert_problem(change(Browser()), 401)


@pytest.mark.parametrize("weak", ["short", "12345678901", "ada@example.com", "password123"])
def test_a_weak_password_is_refused(weak: str) -> None:
    assert_problem(change(logged_in(person()), new=weak), 400, "newPassword")


@pytest.mark.parametrize("value", [None, "", 7, "a\0b", "x" * 129, [], "\ud800"])
def test_what_is_no_password_is_refused(value: Any) -> None:
    assert_problem(change(logged_in(person()), current=value, new=value), 400, "currentPassword", "newPassword")


def test_who_has_somebodys_session_cannot_guess_the_password_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"password": "2/hour", "login": None})
    browser = logged_in(person())
    answers = [change(browser, current=f"guess {n}") for n in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]
