"""Suppressed addresses in the admin: seen with one permission, lifted with another and a reason."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from contralock.accounts.models import User
from notifications import suppression
from notifications.models import Suppression
from notifications.states import Reason

pytestmark = pytest.mark.django_db

LIST = "/admin/notifications/suppression/"


@pytest.fixture
def row() -> Suppression:
    suppression.enter(
        "ada@example.com", reason=Reason.BOUNCED, words="550 5.1.1 <b>nobody</b>", message_key="welcome:42",
        now=timezone.now(),
    )  # fmt: skip
    return Suppression.objects.get()


def staff(*permissions: str) -> Client:
    user = User.objects.create_user(
        email="staff@example.com", first_name="S", last_name="T", role="staff", is_staff=True
    )
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_it_is_seen_in_the_servers_words_and_neither_edited_nor_deleted(row: Suppression) -> None:
    client = staff("view_suppression")
    assert "ada@example.com" in client.get(LIST).content.decode()
    page = client.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "&lt;b&gt;nobody" in page
    assert "/lift/" not in page
    assert client.get(f"{LIST}{row.pk}/delete/").status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403


def test_without_the_permission_nobody_lifts(row: Suppression) -> None:
    client = staff("view_suppression")
    assert client.post(f"{LIST}{row.pk}/lift/", {"reason": "works"}).status_code == 403
    row.refresh_from_db()
    assert row.lifted_at is None


def test_lifting_asks_why_and_keeps_who_and_why(row: Suppression) -> None:
    client = staff("view_suppression", "lift_suppression")
    assert f"{LIST}{row.pk}/lift/" in client.get(f"{LIST}{row.pk}/change/").content.decode()
    refused = client.post(f"{LIST}{row.pk}/lift/", {"reason": " "})
    assert "Say why" in refused.content.decode()
    answer = client.post(f"{LIST}{row.pk}/lift/", {"reason": "she called"}, follow=True)
    assert "Mails go to ada@example.com again" in answer.content.decode()
    row.refresh_from_db()
    assert (row.lifted_by, row.lifted_why) == ("admin:staff@example.com", "she called")
    assert LogEntry.objects.get().change_message == "lifted: she called"
    assert "already" in client.get(f"{LIST}{row.pk}/lift/").content.decode()
    again = client.post(f"{LIST}{row.pk}/lift/", {"reason": "she called"}, follow=True)
    assert "already" in again.content.decode()


def test_lists_tell_what_stands_from_what_was_lifted(row: Suppression) -> None:
    client = staff("view_suppression", "lift_suppression")
    assert "ada@example.com" in client.get(LIST, {"standing": "yes"}).content.decode()
    client.post(f"{LIST}{row.pk}/lift/", {"reason": "she called"}, follow=True)
    assert "ada@example.com" not in client.get(LIST, {"standing": "yes"}).content.decode()
    assert "ada@example.com" in client.get(LIST, {"standing": "no"}).content.decode()


def test_one_that_is_not_there_leads_back(row: Suppression) -> None:
    client = staff("view_suppression", "lift_suppression")
    assert client.get(f"{LIST}{row.pk + 1}/lift/").status_code == 302
