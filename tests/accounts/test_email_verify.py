"""Confirming an address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.throttling import ScopedRateThrottle

from contralock.accounts import addresses, links
from contralock.accounts.links import LinkRefused
from contralock.accounts.models import User
from notifications.models import Message
from tests.accounts.people import Browser, assert_problem, at_once, link_in, logged_in, mails, person, query_of, text_of
from tests.accounts.registering import register

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def verify(token: Any) -> Any:
    """Use a token."""
    return Browser().send("POST", "email/verify", {"token": token})


def test_the_welcome_mail_confirms_the_address() -> None:
    assert register().status_code == 201
    assert User.objects.filter(email_verified_at=None).exists()
    message = Message.objects.get()
    token = query_of(link_in(message))["token"]
    assert token not in str(Message.objects.values()), "sealed"
    assert verify(token).status_code == 204
    assert User.objects.get().email_verified_at is not None
    assert_problem(verify(token), 400, "token")


def test_another_mail_is_sent_on_request_and_both_links_work_until_one_is_used() -> None:
    register()
    user = User.objects.get()
    assert logged_in(user).send("POST", "email/verify/resend").status_code == 202
    (again,) = mails("verify_email")
    assert again.recipient == "ada@example.com"
    first, second = (query_of(link_in(message))["token"] for message in (mails("welcome")[0], again))
    assert verify(second).status_code == 204
    assert_problem(verify(first), 400, "token")


def test_requests_in_the_same_minutes_send_one_mail_and_a_confirmed_address_gets_none() -> None:
    browser = logged_in(person())
    for _ in range(2):
        assert browser.send("POST", "email/verify/resend").status_code == 202
    assert len(mails("verify_email")) == 1
    User.objects.update(email_verified_at=timezone.now())
    Message.objects.all().delete()
    assert browser.send("POST", "email/verify/resend").status_code == 202
    assert not mails("verify_email")


def test_who_is_nobody_has_nothing_sent() -> None:
    assert_problem(Browser().send("POST", "email/verify/resend"), 401)


def test_resending_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"email": "1/hour", "login": None})
    browser = logged_in(person())
    answers = [browser.send("POST", "email/verify/resend") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 429]


def test_a_token_works_for_three_days() -> None:
    user = person()
    token = links.make(purpose=links.VERIFY, user=user, now=NOW)
    with pytest.raises(LinkRefused):
        addresses.verify(token=token, now=NOW + timedelta(days=3))
    assert addresses.verify(token=token, now=NOW + timedelta(days=3, seconds=-1)) == user


def test_a_token_is_void_when_the_account_has_another_address_or_is_deactivated() -> None:
    user = person()
    token = links.make(purpose=links.VERIFY, user=user, now=timezone.now())
    User.objects.update(email="other@example.com")
    assert_problem(verify(token), 400, "token")
    User.objects.update(email="ada@example.com", is_active=False)
    assert_problem(verify(token), 400, "token")
    User.objects.update(is_active=True)
    assert verify(token).status_code == 204


def test_a_token_for_another_purpose_or_from_another_site_is_refused(settings: Any) -> None:
    user = person(pending_email="new@example.com")
    now = timezone.now()
    assert_problem(verify(links.make(purpose=links.CHANGE, user=user, now=now)), 400, "token")
    token = links.make(purpose=links.VERIFY, user=user, now=now)
    settings.SECRET_KEY = "another" * 9
    assert_problem(verify(token), 400, "token")
    settings.SECRET_KEY_FALLBACKS = ["only-for-tests-" + "x" * 40]
    assert verify(token).status_code == 204, "a rotated secret"


def test_every_changed_letter_voids_a_token() -> None:
    token = links.make(purpose=links.VERIFY, user=person(), now=NOW)
    for place in range(0, len(token), 7):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(LinkRefused):
            links.check(purpose=links.VERIFY, token=changed, now=NOW)
    assert links.owner(purpose=links.VERIFY, token=token + "x") is None


@pytest.mark.parametrize("token", [None, "", 7, "x", "a:b", ":", "é", "a\0b", "x" * 501, "\ud800", [], "e30:x"])
def test_what_is_no_token_is_refused(token: Any) -> None:
    assert_problem(verify(token), 400, "token")


@pytest.mark.django_db(transaction=True)
def test_of_two_uses_at_the_same_moment_one_wins() -> None:
    token = links.make(purpose=links.VERIFY, user=person(), now=timezone.now())
    statuses = at_once(*[lambda: verify(token).status_code] * 3)
    assert sorted(statuses) == [204, 400, 400]


def test_a_welcome_says_what_the_link_is_for() -> None:
    register(language="de")
    assert "bestätigen Sie" in text_of(Message.objects.get())
