"""API tokens."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from contralock.accounts import api_tokens
from contralock.accounts.models import ApiToken, User
from tests.accounts.people import PASSWORD, Browser, Script, assert_problem, at_once, logged_in, person

pytestmark = pytest.mark.django_db

CREDENTIALS = {"email": "ada@example.com", "password": PASSWORD}


def make(browser: Browser | None = None, **body: Any) -> Any:
    """A new token by session, or by password."""
    return (browser or Browser()).send("POST", "tokens", {"name": "ci"} | ({} if browser else CREDENTIALS) | body)


def test_a_token_by_password_is_shown_once_and_logs_in() -> None:
    person()
    answer = make(name="nightly export")
    assert answer.status_code == 201
    made = answer.json()
    assert made["token"].startswith("clk_")
    assert made["name"] == "nightly export"
    assert "no-store" in answer["Cache-Control"]
    script = Script(made["token"])
    assert script.send("GET", "profile").json()["email"] == "ada@example.com"
    listed = script.send("GET", "tokens")
    assert [token["id"] for token in listed.json()["tokens"]] == [made["id"]]
    assert made["token"] not in listed.content.decode()
    assert made["token"] not in str(ApiToken.objects.values()), "only its hash is stored"
    assert "sessionid" not in answer.cookies


def test_a_token_by_session_lives_for_ninety_days_unless_told_otherwise() -> None:
    browser = logged_in(person())
    assert make(browser).status_code == 201
    lives = ApiToken.objects.get().expiry - timezone.now()
    assert timedelta(days=89, hours=23) < lives <= timedelta(days=90)
    until = (timezone.now() + timedelta(days=1)).isoformat()
    assert make(browser, expiresAt=until).status_code == 201
    assert ApiToken.objects.filter(expiry__lt=timezone.now() + timedelta(days=2)).count() == 1


def test_a_token_needs_no_csrf_token() -> None:
    person()
    script = Script(make().json()["token"])
    assert script.send("PATCH", "profile", {"city": "London"}).status_code == 200


def test_a_token_makes_no_tokens_but_with_the_password() -> None:
    person()
    script = Script(make().json()["token"])
    assert_problem(script.send("POST", "tokens", {"name": "forever"}), 403)
    assert script.send("POST", "tokens", {"name": "x"} | CREDENTIALS).status_code == 201


def test_nobody_gets_no_token() -> None:
    person()
    assert_problem(Browser().send("POST", "tokens", {"name": "x"}), 401)
    assert_problem(make(password="wrong"), 401)
    User.objects.update(is_active=False)
    assert_problem(make(), 401)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("token", ["", "x", "clk_" + "0" * 64, "clk_ü", "\x00", "clk_" + "0" * 64 + " more"])
def test_a_token_that_is_none_is_refused(token: str) -> None:
    person()
    answer = Script(token).send("GET", "profile")
    assert_problem(answer, 401)
    assert answer["WWW-Authenticate"] == "Token"


def test_a_changed_token_is_refused() -> None:
    person()
    token = make().json()["token"]
    assert_problem(Script(token[:-1] + ("0" if token[-1] != "0" else "1")).send("GET", "profile"), 401)


def test_an_expired_token_is_refused_and_not_listed() -> None:
    browser = logged_in(person())
    token = make().json()["token"]
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert browser.send("GET", "tokens").json()["tokens"] == []
    assert_problem(Script(token).send("GET", "profile"), 401)


def test_a_token_of_somebody_deactivated_is_refused() -> None:
    person()
    script = Script(make().json()["token"])
    User.objects.update(is_active=False)
    assert_problem(script.send("GET", "profile"), 401)
    assert_problem(script.send("DELETE", "tokens"), 401)
    assert script.send("GET", "session").status_code == 401


def test_one_token_is_revoked_and_the_others_stay() -> None:
    browser = logged_in(person())
    first, second = make().json(), make().json()
    assert browser.send("DELETE", f"tokens/{first['id']}").status_code == 204
    assert_problem(Script(first["token"]).send("GET", "profile"), 401)
    assert Script(second["token"]).send("GET", "profile").status_code == 200
    assert_problem(browser.send("DELETE", f"tokens/{first['id']}"), 404)


def test_tokens_of_others_are_out_of_reach() -> None:
    person()
    person("eve@example.com")
    hers = make().json()
    eve = Browser()
    eve.log_in("eve@example.com")
    assert eve.send("GET", "tokens").json()["tokens"] == []
    assert_problem(eve.send("DELETE", f"tokens/{hers['id']}"), 404)
    assert_problem(eve.send("DELETE", f"tokens/{uuid.uuid4()}"), 404)
    assert_problem(eve.send("DELETE", "tokens/1"), 404)
    assert eve.send("DELETE", "tokens").status_code == 204
    assert Script(hers["token"]).send("GET", "profile").status_code == 200


def test_all_tokens_are_revoked_at_once() -> None:
    person()
    tokens = [make().json()["token"] for _ in range(2)]
    assert Script(tokens[0]).send("DELETE", "tokens").status_code == 204
    for token in tokens:
        assert_problem(Script(token).send("GET", "profile"), 401)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": None}, ["name"]),
        ({"name": "a\0b"}, ["name"]),
        ({"name": "a\nb"}, ["name"]),
        ({"name": "x" * 81}, ["name"]),
        ({"name": 7}, ["name"]),
        ({"expiresAt": "soon"}, ["expiresAt"]),
        ({"expiresAt": "2001-01-01T00:00:00Z"}, ["expiresAt"]),
        ({"expiresAt": "2999-01-01T00:00:00Z"}, ["expiresAt"]),
        ({"expiresAt": "9999-12-31T23:59:59-12:00"}, ["expiresAt"]),
        ({"expiresAt": 7}, ["expiresAt"]),
        ({"email": "ada@example.com"}, ["non_field_errors"]),
        ({"scope": "all"}, ["scope"]),
    ],
)
def test_what_is_no_token_is_refused(body: dict[str, Any], fields: list[str]) -> None:
    assert_problem(make(logged_in(person()), **body), 400, *fields)
    assert not ApiToken.objects.exists()


def test_a_person_has_twenty_tokens_at_most_and_expired_ones_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_tokens, "MOST", 2)
    browser = logged_in(person())
    assert [make(browser).status_code for _ in range(2)] == [201, 201]
    assert_problem(make(browser), 400, "non_field_errors")
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert make(browser).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_do_not_pass_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_tokens, "MOST", 1)
    user = person()

    def make_one() -> bool:
        try:
            api_tokens.create(user=user, name="x", expires_at=None, now=timezone.now())
        except api_tokens.TooMany:
            return False
        return True

    assert sorted(at_once(*[make_one] * 3)) == [False, False, True]
