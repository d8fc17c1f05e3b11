"""Another address for an account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.throttling import ScopedRateThrottle

from contralock.accounts import addresses, links
from contralock.accounts.links import LinkRefused
from contralock.accounts.models import User
from notifications.models import Message
from tests.accounts.people import (
    OTHER_PASSWORD,
    PASSWORD,
    Browser,
    assert_problem,
    at_once,
    link_in,
    logged_in,
    mails,
    person,
    query_of,
    text_of,
    work,
)  # fmt: skip

pytestmark = pytest.mark.django_db(transaction=True)

KIND = "accounts.mail_email_change"
NEW = "countess@example.com"


def ask(browser: Browser, email: Any = NEW, password: Any = PASSWORD) -> Any:
    """Ask for the change and let the job do its part."""
    answer = browser.send("POST", "email/change", {"email": email, "password": password})
    work(KIND)
    return answer


def token() -> str:
    """Of the newest mail to a new address."""
    return query_of(link_in(mails("email_change")[-1]))["token"]


def confirm(token: Any) -> Any:
    """Use a token."""
    return Browser().send("POST", "email/change/confirm", {"token": token})


def verified() -> Browser:
    """Ada's browser; her address is confirmed."""
    return logged_in(person(email_verified_at=timezone.now() - timedelta(days=9)))


def test_the_new_address_counts_once_it_is_confirmed_and_the_old_one_is_told() -> None:
    browser = verified()
    assert ask(browser).status_code == 202
    assert browser.send("GET", "profile").json().items() >= {"email": "ada@example.com", "pendingEmail": NEW}.items()
    assert [(m.template, m.recipient) for m in Message.objects.order_by("created_at")] == [
        ("email_change_requested", "ada@example.com"),
        ("email_change", NEW),
    ]
    assert confirm(token()).status_code == 204
    assert browser.email() == NEW
    assert browser.send("GET", "profile").json()["pendingEmail"] == ""
    (told,) = mails("email_changed")
    assert told.recipient == "ada@example.com"
    assert "It was not you?" in text_of(told)
    assert Browser().log_in(NEW).status_code == 200
    assert Browser().log_in("ada@example.com").status_code == 401


def test_a_link_works_once_and_not_again_after_a_change_back() -> None:
    browser = verified()
    ask(browser)
    first = token()
    assert confirm(first).status_code == 204
    assert_problem(confirm(first), 400, "token")
    ask(browser, "ada@example.com")
    assert confirm(token()).status_code == 204
    assert_problem(confirm(first), 400, "token")


def test_only_the_newest_request_counts() -> None:
    browser = verified()
    ask(browser, "mistyped@example.com")
    stale = token()
    ask(browser)
    assert_problem(confirm(stale), 400, "token")
    assert confirm(token()).status_code == 204


def test_a_withdrawn_request_and_a_new_password_void_the_link() -> None:
    browser = verified()
    ask(browser)
    withdrawn = token()
    assert browser.send("DELETE", "email/change").status_code == 204
    assert_problem(confirm(withdrawn), 400, "token")
    User.objects.update(pending_email="")
    Message.objects.all().delete()
    ask(browser)
    stale = token()
    browser.send("POST", "password/change", {"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD})
    assert_problem(confirm(stale), 400, "token")
    assert User.objects.get().pending_email == ""


def test_a_link_lives_for_a_day() -> None:
    now = timezone.now()
    user = person(pending_email=NEW)
    link = links.make(purpose=links.CHANGE, user=user, now=now)
    with pytest.raises(LinkRefused):
        addresses.confirm_change(token=link, now=now + timedelta(days=1))
    assert addresses.confirm_change(token=link, now=now + timedelta(hours=23)).email == NEW


def test_nobody_learns_here_whether_an_address_has_an_account() -> None:
    person("eve@example.com")
    browser = verified()
    free, taken = ask(browser), ask(browser, "EVE@example.com")
    assert (free.status_code, free.content) == (taken.status_code, taken.content)
    assert [message.recipient for message in mails("email_change")] == [NEW]


def test_an_address_that_was_taken_meanwhile_is_refused() -> None:
    ask(verified())
    person(NEW.upper())
    assert_problem(confirm(token()), 400, "token")
    assert User.objects.filter(email="ada@example.com").exists()


def test_the_password_is_needed_and_another_address() -> None:
    browser = verified()
    assert_problem(ask(browser, password="wrong"), 400, "password")
    assert_problem(ask(browser, " ada@EXAMPLE.com"), 400, "email")
    assert_problem(ask(Browser()), 401)
    assert not Message.objects.exists()


def test_another_spelling_of_ones_own_address_is_a_change() -> None:
    browser = verified()
    assert ask(browser, "Ada@example.com").status_code == 202
    assert confirm(token()).status_code == 204
    assert browser.email() == "Ada@example.com"


def test_an_old_address_that_nobody_confirmed_is_told_nothing() -> None:
    ask(logged_in(person()))
    assert confirm(token()).status_code == 204
    assert {message.recipient for message in Message.objects.all()} == {NEW}


@pytest.mark.parametrize("email", [None, "", 7, "nobody", "a\0@x.de", "x" * 255 + "@x.de", '"a b"@x.de', "zoë@x.de"])
def test_what_is_no_address_is_refused(email: Any) -> None:
    assert_problem(ask(logged_in(person()), email), 400, "email")


def test_asking_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"email": "1/hour", "login": None})
    browser = verified()
    assert [ask(browser, f"{n}@x.de").status_code for n in range(2)] == [202, 429]


def test_of_two_uses_at_the_same_moment_one_wins() -> None:
    ask(verified())
    link = token()
    statuses = at_once(*[lambda: confirm(link).status_code] * 3)
    assert sorted(statuses) == [204, 400, 400]
    assert len(mails("email_changed")) == 1
