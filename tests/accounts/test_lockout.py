"""Guessing passwords is stopped, and its victims are not locked out for long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import authenticate
from django.db.models import F
from django.test import Client, RequestFactory
from django.utils import timezone

from contralock.accounts import lockout
from contralock.accounts.models import User
from tests.accounts.people import OTHER_PASSWORD, PASSWORD, Browser, asked_reset, assert_problem, person

pytestmark = pytest.mark.django_db


def fail(times: int = 5, email: str = "ada@example.com", **defaults: Any) -> Any:
    """Guess so often; the last answer."""
    for _ in range(times):
        answer = Browser(**defaults).log_in(email, "wrong")
    return answer


def test_five_wrong_passwords_lock_the_account_for_that_address() -> None:
    person()
    assert fail(4).status_code == 401
    answer = fail(1)
    assert_problem(answer, 429)
    assert 890 <= int(answer["Retry-After"]) <= 900
    right = Browser().log_in()
    assert_problem(right, 429)
    assert 0 < int(right["Retry-After"]) <= 900
    assert Browser(REMOTE_ADDR="10.9.9.9").log_in().status_code == 200, "the owner, from elsewhere"


def test_a_lock_says_nothing_about_whether_there_is_an_account() -> None:
    person()
    known, unknown = fail(6), fail(6, "nobody@example.com")
    assert (known.status_code, unknown.status_code) == (429, 429)
    assert known.json()["title"] == unknown.json()["title"]


@pytest.mark.parametrize("spelling", ["ADA@example.com", " Ada@Example.COM "])
def test_another_spelling_is_the_same_account(spelling: str) -> None:
    person()
    fail(3)
    fail(2, spelling)
    assert_problem(Browser().log_in(), 429)


def test_another_browser_is_the_same_address() -> None:
    person()
    for number in range(5):
        fail(1, HTTP_USER_AGENT=f"agent {number}")
    assert_problem(Browser(HTTP_USER_AGENT="another").log_in(), 429)


def test_many_addresses_together_lock_the_account_for_all_in_the_end() -> None:
    person()
    for number in range(49):
        assert fail(1, REMOTE_ADDR=f"10.0.0.{number}").status_code == 401
    assert Browser(REMOTE_ADDR="10.1.1.1").log_in().status_code == 200
    assert_problem(fail(1, REMOTE_ADDR="10.0.1.1"), 429)
    locked = Browser(REMOTE_ADDR="10.1.1.1").log_in()
    assert_problem(locked, 429)
    assert 0 < int(locked["Retry-After"]) <= 900


def test_the_owners_login_does_not_help_who_guesses_elsewhere() -> None:
    person()
    fail(4, REMOTE_ADDR="10.0.0.1")
    assert Browser(REMOTE_ADDR="10.0.0.2").log_in().status_code == 200
    assert_problem(fail(1, REMOTE_ADDR="10.0.0.1"), 429)


def test_a_success_forgets_the_failures_before_it() -> None:
    person()
    fail(4)
    assert Browser().log_in().status_code == 200
    assert fail(4).status_code == 401


def test_a_lock_ends_by_itself_and_knocking_does_not_prolong_it() -> None:
    person()
    fail(5)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=14))
    locked = Browser().log_in()
    assert 0 < int(locked["Retry-After"]) <= 60
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=2))
    assert Browser().log_in().status_code == 200


def test_a_password_reset_lifts_the_lock(transactional_db: None) -> None:
    person()
    fail(5)
    link = asked_reset()
    assert Browser().send("POST", "password/reset/confirm", link | {"newPassword": OTHER_PASSWORD}).status_code == 204
    assert Browser().log_in(password=OTHER_PASSWORD).status_code == 200


def test_the_admins_login_is_locked_too_and_says_how_to_go_on() -> None:
    User.objects.create_superuser(email="root@example.com", password=PASSWORD, first_name="R", last_name="O")
    client = Client()
    for _ in range(5):
        answer = client.post("/admin/login/", {"username": "root@example.com", "password": "wrong"})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 890
    assert "15 more minutes" in answer.content.decode()
    assert "/account/forgot" in answer.content.decode()
    nonce = answer["Content-Security-Policy"].partition("'nonce-")[2].partition("'")[0]
    assert f'<style nonce="{nonce}">' in answer.content.decode(), "else the page has no style"
    answer = client.post("/admin/login/", {"username": "Root@example.com", "password": PASSWORD})
    assert answer.status_code == 429
    assert client.get("/admin/").status_code == 302
    assert_problem(Browser().log_in("root@example.com"), 429)


def test_making_a_token_with_a_password_is_guarded_alike() -> None:
    person()
    body = {"name": "x", "email": "ada@example.com", "password": "wrong"}
    answers = [Browser().send("POST", "tokens", body) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401] * 4 + [429]
    assert_problem(Browser().send("POST", "tokens", body | {"password": PASSWORD}), 429)


def test_staff_lift_a_lock_in_the_admin() -> None:
    User.objects.create_superuser(email="root@example.com", password=PASSWORD, first_name="R", last_name="O")
    user = person()
    fail(5)
    client = Client()
    client.post("/admin/login/", {"username": "root@example.com", "password": PASSWORD})
    client.post("/admin/accounts/user/", {"action": "unlock", "_selected_action": [user.pk]})
    assert Browser().log_in().status_code == 200
    assert client.get("/admin/axes/accessattempt/").status_code == 200


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "1.2.3.4", "127.0.0.1"),
        (1, "1.2.3.4", "1.2.3.4"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
        (1, "nonsense", "127.0.0.1"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
    ],
)
def test_the_address_is_the_one_that_our_proxies_saw(settings: Any, proxies: int, forwarded: str, found: str) -> None:
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": proxies}
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded})
    assert lockout.client_ip(request) == found


def test_without_any_address_the_account_is_still_guarded() -> None:
    person()
    assert fail(5, REMOTE_ADDR="").status_code == 429


def test_a_password_check_without_a_request_is_a_bug_and_says_so() -> None:
    with pytest.raises(Exception, match="requires a request"):
        authenticate(username="ada@example.com", password="x")


def test_nobody_waits_who_did_not_fail() -> None:
    assert lockout.wait(email="ada@example.com", ip="127.0.0.1", now=timezone.now()) == 0
