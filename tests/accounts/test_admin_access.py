"""What staff see and may do about addresses and tokens in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from contralock.accounts import api_tokens
from contralock.accounts.admin import BUSINESS
from contralock.accounts.models import ApiToken, User
from notifications.models import Message
from tests.accounts.people import PASSWORD, asked_reset, link_in, mails, person, query_of
from tests.accounts.registering import register

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin() -> Client:
    User.objects.create_superuser(email="root@example.com", password=PASSWORD, first_name="R", last_name="O")
    client = Client()
    client.post("/admin/login/", {"username": "root@example.com", "password": PASSWORD})
    return client


def change(user: User, **changes: Any) -> dict[str, Any]:
    """The change form as it is shown, with some fields typed over."""
    fields = ["email", "first_name", "last_name", "role", "language", "time_zone", "country", *BUSINESS]
    return {field: getattr(user, field) for field in fields} | {"is_active": "on"} | changes


def test_an_address_that_staff_type_is_not_confirmed(admin: Client) -> None:
    user = person(email_verified_at=timezone.now(), pending_email="new@example.com")
    page = f"/admin/accounts/user/{user.pk}/change/"
    assert admin.post(page, change(user, city="London")).status_code == 302
    user.refresh_from_db()
    assert user.email_verified_at is not None
    assert admin.post(page, change(user, email="typed@example.com")).status_code == 302
    found = User.objects.values_list("email", "email_verified_at", "pending_email").get(pk=user.pk)
    assert found == ("typed@example.com", None, "")


def test_a_vat_id_of_another_country_is_refused_in_the_form(admin: Client) -> None:
    user = person()
    answer = admin.post(f"/admin/accounts/user/{user.pk}/change/", change(user, country="DE", vat_id="ATU12345678"))
    assert answer.status_code == 200
    assert "A VAT id of DE begins with DE" in answer.content.decode()


def test_tokens_are_seen_and_revoked_but_not_made(admin: Client) -> None:
    row, token = api_tokens.create(user=person(), name="nightly", expires_at=None, now=timezone.now())
    listed = admin.get("/admin/accounts/apitoken/").content.decode()
    assert "nightly" in listed
    assert token not in listed
    assert admin.get("/admin/accounts/apitoken/add/").status_code == 403
    shown = admin.get(f"/admin/accounts/apitoken/{row.pk}/change/").content.decode()
    assert token not in shown
    assert row.digest not in shown.replace(f"/{row.digest}/", "")
    assert admin.post(f"/admin/accounts/apitoken/{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not ApiToken.objects.exists()


def test_nobody_in_the_admin_sees_a_link_that_sets_a_password(admin: Client) -> None:
    person()
    link = asked_reset()
    (message,) = mails("password_reset")
    page = admin.get(f"/admin/notifications/message/{message.pk}/change/").content.decode()
    assert link["token"] not in page
    assert message.sealed not in page
    assert "••••••" in page


def test_the_preview_of_a_welcome_hides_its_link_too(admin: Client) -> None:
    register()
    message = Message.objects.get()
    page = admin.get(f"/admin/notifications/message/{message.pk}/change/").content.decode()
    assert query_of(link_in(message))["token"] not in page
