"""Unsubscribing from reminders: one click, by whoever holds the link, and by nobody who only opens it."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email.policy import default
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from contralock.accounts.models import User
from notifications import compose, unsubscribe
from notifications.models import Subscriber
from tests.notifications.test_mails import render

LIST = "/admin/notifications/subscriber/"
SITE = "https://contralock.test"
LONG = "https://a-rather-long-name-of-a-company.example.com/with/a/path/unsubscribe/AbCdEfGhIjKlMnOpQrStUv"


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user(email="ada@example.com", first_name="Ada", last_name="L", role="client")


@pytest.fixture
def link(ada: User, settings: Any) -> str:
    """The path of Ada's link."""
    settings.SITE_URL = SITE
    return unsubscribe.link(ada.pk).removeprefix(SITE)


def wants_none(user: User) -> bool:
    return unsubscribe.unsubscribed([user.pk]) == {user.pk}


def mail(**more: Any) -> bytes:
    return compose.build(
        rendered=render("reminder unfunded", "en"), to="ada@example.com", name="Ada", message_id="<1@x.test>",
        written_at=datetime(2026, 1, 2, tzinfo=UTC), **more,
    ).as_bytes()  # fmt: skip


# ------------------------------------------------------------------ the header
def test_the_header_is_on_one_line_however_long_the_link_is() -> None:
    raw = mail(unsubscribe_url=LONG)
    assert f"\r\nList-Unsubscribe: <{LONG}>\r\n".encode() in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    headers = raw.partition(b"\r\n\r\n")[0]
    assert b"=?" not in headers.partition(b"List-Unsubscribe")[2]
    others = [line for line in raw.split(b"\r\n") if not line.startswith(b"List-")]
    assert all(len(line) <= 78 for line in others), "the wide lines are for that header only"
    assert email.message_from_bytes(raw, policy=default)["List-Unsubscribe"] == f"<{LONG}>"


def test_a_mail_without_a_link_has_no_such_header() -> None:
    assert b"List-Unsubscribe" not in mail()


def test_a_line_break_in_a_link_is_refused() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        mail(unsubscribe_url="https://x.test/\r\nBcc: eve@example.com")


# ------------------------------------------------------------------ the link
def test_a_person_has_one_link_and_it_tells_nothing(ada: User, settings: Any) -> None:
    settings.SITE_URL = f"{SITE}/"
    bob = User.objects.create_user(email="bob@example.com", first_name="Bob", last_name="B", role="client")
    first, second = unsubscribe.link(ada.pk), unsubscribe.link(ada.pk)
    assert first == second != unsubscribe.link(bob.pk)
    token = first.rpartition("/")[2]
    assert len(token) == 22
    assert first == f"{SITE}/unsubscribe/{token}"


@pytest.mark.parametrize("body", [{"List-Unsubscribe": "One-Click"}, {}, {"anything": "else"}])
def test_one_post_without_login_cookie_or_csrf_token_unsubscribes(ada: User, link: str, body: dict[str, str]) -> None:
    answer = Client(enforce_csrf_checks=True).post(link, body)
    assert answer.status_code == 200
    assert "Reminders are off" in answer.content.decode()
    assert wants_none(ada)


def test_opening_the_link_changes_nothing_and_its_button_does(ada: User, link: str) -> None:
    client = Client(enforce_csrf_checks=True)
    for _ in range(2):
        page = client.get(link)
        client.head(link)
        assert f'action="{link}"' in page.content.decode()
        assert not wants_none(ada)
    client.post(link)
    assert wants_none(ada)
    assert "Reminders are off" in client.get(link).content.decode(), "nothing is left to press"


def test_a_second_click_keeps_the_time_of_the_first(ada: User, link: str) -> None:
    Client().post(link)
    first = Subscriber.objects.get().unsubscribed_at
    Client().post(link)
    assert Subscriber.objects.get().unsubscribed_at == first


def test_a_provider_may_post_for_many_of_its_users(link: str) -> None:
    assert {Client().post(link).status_code for _ in range(60)} == {200}


@pytest.mark.parametrize("token", ["x", "A" * 22, "A" * 500, "%00" * 22, "ä" * 22])
def test_a_token_that_is_none_of_ours_is_refused_in_words(token: str, ada: User, link: str) -> None:
    for answer in (Client().get(f"/unsubscribe/{token}"), Client().post(f"/unsubscribe/{token}")):
        assert answer.status_code == 404
        assert "This link does not work" in answer.content.decode()
    assert not wants_none(ada)


def test_the_page_speaks_the_readers_language_and_loads_nothing(ada: User, link: str) -> None:
    User.objects.update(language="de")
    answer = Client().get(link)
    assert "Erinnerungen abbestellen" in answer.content.decode()
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]


# ------------------------------------------------------------------ the admin
def staff(*permissions: str) -> Client:
    user = User.objects.create_user(email="s@example.com", first_name="S", last_name="T", role="staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_staff_see_who_wants_none_and_never_the_link(ada: User, link: str) -> None:
    client = staff("view_subscriber")
    assert ada.email not in client.get(LIST).content.decode(), "who has only had a reminder is none of them"
    Client().post(link)
    assert ada.email in client.get(LIST).content.decode()
    page = client.get(f"{LIST}{ada.pk}/change/").content.decode()
    assert link.rpartition("/")[2] not in page
    assert "/lift/" not in page
    assert client.post(f"{LIST}{ada.pk}/lift/", {"reason": "she asked"}).status_code == 403
    assert wants_none(ada)


def test_lifting_needs_a_permission_and_a_reason_and_keeps_who_and_why(ada: User, link: str) -> None:
    Client().post(link)
    client = staff("view_subscriber", "lift_subscriber")
    assert f"{LIST}{ada.pk}/lift/" in client.get(f"{LIST}{ada.pk}/change/").content.decode()
    assert "Say why" in client.post(f"{LIST}{ada.pk}/lift/", {"reason": " "}).content.decode()
    assert wants_none(ada)
    answer = client.post(f"{LIST}{ada.pk}/lift/", {"reason": "she asked"}, follow=True)
    assert "Reminders go to ada@example.com again" in answer.content.decode()
    row = Subscriber.objects.get()
    assert (row.lifted_by, row.lifted_why, wants_none(ada)) == ("admin:s@example.com", "she asked", False)
    assert LogEntry.objects.get().change_message == "reminders again: she asked"
    assert "already" in client.post(f"{LIST}{ada.pk}/lift/", {"reason": "she asked"}, follow=True).content.decode()
    assert client.get(f"{LIST}{ada.pk + 9}/lift/").status_code == 302


def test_who_unsubscribes_after_that_is_unsubscribed(ada: User, link: str) -> None:
    Client().post(link)
    unsubscribe.lift(ada.pk, by="admin:s@example.com", why="she asked", now=timezone.now())
    Client().post(link)
    row = Subscriber.objects.get()
    assert (wants_none(ada), row.lifted_at, row.lifted_by, row.lifted_why) == (True, None, "", "")
    with pytest.raises(unsubscribe.CannotLift, match="Say why"):
        unsubscribe.lift(ada.pk, by="admin:s@example.com", why=" ", now=timezone.now())
