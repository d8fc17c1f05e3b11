"""The pages that mails lead to."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.throttling import ScopedRateThrottle

from contralock.accounts import links
from contralock.accounts.models import User
from notifications.models import Message
from tests.accounts.people import OTHER_PASSWORD, Browser, asked_reset, link_in, mails, person, work
from tests.accounts.registering import register

pytestmark = pytest.mark.django_db(transaction=True)


def visit(path: str, **query: str) -> tuple[Client, Any]:
    """A browser that has opened a page; CSRF is enforced."""
    client = Client(enforce_csrf_checks=True)
    return client, client.get(path, query)


def press(client: Client, page: Any, **typed: str) -> Any:
    """Send the form of the page as a browser does."""
    html = page.content.decode()
    action = re.search(r'<form method="post" action="([^"]+)"', html)
    assert action, html
    hidden = {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html)}
    return client.post(action[1], hidden | typed)


def assert_strict(page: Any) -> None:
    """Nothing is loaded, run, kept or framed."""
    html = page.content.decode()
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"
    assert page["Referrer-Policy"] == "same-origin", "the token in the address goes to nobody else"
    assert "no-store" in page["Cache-Control"]
    assert not re.findall(r"<script|<img|<iframe|src=|@import|url\(|javascript:| style=| on\w+=", html)
    assert re.findall(r'<link[^>]*href="([^"]*)"', html) == ["data:,"]
    nonce = re.search(r'<style nonce="([^"]+)"', html)
    assert nonce
    assert f"'nonce-{nonce[1]}'" in page["Content-Security-Policy"]


def opened(message: Message) -> tuple[Client, Any]:
    """Follow the link of a mail."""
    parts = urlsplit(link_in(message))
    client = Client(enforce_csrf_checks=True)
    return client, client.get(f"{parts.path}?{parts.query}")


def test_opening_the_link_confirms_nothing_and_the_button_does() -> None:
    register()
    client, page = opened(Message.objects.get())
    assert page.status_code == 200
    assert_strict(page)
    assert "ada@example.com" in page.content.decode()
    client.head("/account/verify")
    assert User.objects.get().email_verified_at is None
    done = press(client, page)
    assert_strict(done)
    assert "Thank you" in done.content.decode()
    assert User.objects.get().email_verified_at is not None
    refused = press(client, page)
    assert refused.status_code == 400
    assert "was used already" in refused.content.decode()


def test_a_page_speaks_the_accounts_language_else_the_browsers() -> None:
    register(language="de")
    _, page = opened(Message.objects.get())
    assert '<html lang="de">' in page.content.decode()
    assert "Adresse bestätigen" in page.content.decode()
    for wanted, found in (("de-AT,de;q=0.9", "de"), ("fr", "en"), ("", "en"), ("x" * 5000, "en")):
        page = Client().get("/account/verify", headers={"Accept-Language": wanted})
        assert f'<html lang="{found}">' in page.content.decode()


@pytest.mark.parametrize("page", ["verify", "email", "reset"])
@pytest.mark.parametrize(
    "query", [{}, {"token": ""}, {"token": "x"}, {"token": "<script>"}, {"uid": "MQ", "token": "a\0"}]
)
def test_a_link_that_does_not_work_says_so(page: str, query: dict[str, str]) -> None:
    _, answer = visit(f"/account/{page}", **query)
    assert answer.status_code == 400
    assert "This link does not work" in answer.content.decode()
    assert "<form" not in answer.content.decode()
    assert_strict(answer)


@pytest.mark.parametrize("page", ["verify", "email", "reset", "forgot"])
def test_another_site_cannot_press_the_button(page: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(f"/account/{page}", {"token": "x", "email": "ada@example.com"}).status_code == 403
    assert not mails("password_reset")


def test_a_new_address_is_confirmed_on_its_page() -> None:
    user = person(pending_email="new@example.com")
    token = links.make(purpose=links.CHANGE, user=user, now=timezone.now())
    client, page = visit("/account/email", token=token)
    assert "new@example.com" in page.content.decode()
    assert press(client, page).status_code == 200
    assert User.objects.get().email == "new@example.com"


def test_a_forgotten_password_is_set_on_two_pages() -> None:
    person()
    client, page = visit("/account/forgot")
    assert_strict(page)
    assert "mail with a link is on its way" in press(client, page, email="ADA@example.com").content.decode()
    work("accounts.mail_password_reset")
    client, page = opened(mails("password_reset")[0])
    assert_strict(page)
    assert "Please type the same password twice" in press(client, page, password="a", again="b").content.decode()
    weak = press(client, page, password="12345", again="12345")
    assert weak.status_code == 400
    assert "too short" in weak.content.decode()
    done = press(client, page, password=OTHER_PASSWORD, again=OTHER_PASSWORD)
    assert "Your password is set" in done.content.decode()
    assert Browser().log_in(password=OTHER_PASSWORD).status_code == 200
    assert press(client, page, password="Another-1799", again="Another-1799").status_code == 400


@pytest.mark.parametrize("typed", ["", "a\0b", "x" * 129])
def test_an_impossible_password_is_refused_on_the_page(typed: str) -> None:
    person()
    client, page = visit("/account/reset", **asked_reset())
    assert press(client, page, password=typed, again=typed).status_code == 400


def test_messages_about_a_weak_password_are_in_the_persons_language() -> None:
    person(language="de")
    client, page = visit("/account/reset", **asked_reset())
    assert "zu kurz" in press(client, page, password="12345", again="12345").content.decode()


@pytest.mark.parametrize("email", ["", "nobody", "a\0@x.de", "x" * 300 + "@x.de", "<script>alert(1)</script>"])
def test_what_is_no_address_is_refused_on_the_page(email: str) -> None:
    client, page = visit("/account/forgot")
    answer = press(client, page, email=email)
    assert answer.status_code == 400
    assert "Please enter an email address" in answer.content.decode()
    assert "<script" not in answer.content.decode()


def test_pages_and_api_share_their_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"reset": "1/hour"})
    Browser().send("POST", "password/reset", {"email": "a@x.de"})
    client, page = visit("/account/forgot")
    answer = press(client, page, email="b@x.de")
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "Too many tries" in answer.content.decode()
