"""Users and messages in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from contralock.accounts import services
from contralock.accounts.models import User
from notifications.models import Message

pytestmark = pytest.mark.django_db

PASSWORD = "Analytical-1843"
NEW = {"email": "Bob@Example.com", "first_name": "Bob", "last_name": "B", "role": "freelancer",
       "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}  # fmt: skip


@pytest.fixture
def admin() -> Client:
    User.objects.create_superuser(email="root@example.com", password=PASSWORD, first_name="R", last_name="O")
    client = Client()
    answer = client.post("/admin/login/", {"username": "ROOT@example.com", "password": PASSWORD})
    assert answer.status_code == 302
    return client


@pytest.mark.parametrize("page", ["", "accounts/user/", "accounts/user/add/", "accounts/user/?q=root&role=staff"])
def test_pages_open(admin: Client, page: str) -> None:
    assert admin.get(f"/admin/{page}").status_code == 200


def test_the_root_leads_to_the_admin() -> None:
    assert Client().get("/")["Location"] == "/admin/"


def test_a_user_is_added_with_the_address_as_registration_stores_it(admin: Client) -> None:
    assert admin.post("/admin/accounts/user/add/", NEW).status_code == 302
    user = User.objects.get(email="Bob@example.com")
    assert user.check_password(PASSWORD)
    assert (user.role, user.is_staff) == ("freelancer", False)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"email": "ROOT@example.com"}, "This email address is taken."),
        ({"is_staff": "on"}, "Admin access is for the role staff only."),
        ({"password2": "other"}, "didn’t match"),
        ({"first_name": "www.evil.example"}, "A name holds no web address."),
    ],
)
def test_what_is_wrong_is_said_in_the_form(admin: Client, wrong: dict[str, str], words: str) -> None:
    answer = admin.post("/admin/accounts/user/add/", NEW | wrong)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert User.objects.count() == 1


def change(user: User, **changes: Any) -> dict[str, Any]:
    fields = ("email", "first_name", "last_name", "role", "language", "time_zone", "country")
    return {field: getattr(user, field) for field in fields} | {"is_active": "on"} | changes


def test_a_person_becomes_staff_in_the_admin_only_with_the_role(admin: Client) -> None:
    user = User.objects.create_user(email="bob@example.com", first_name="Bob", last_name="B")
    page = f"/admin/accounts/user/{user.pk}/change/"
    refused = admin.post(page, change(user, is_staff="on"))
    assert "Admin access is for the role staff only." in refused.content.decode()
    assert admin.post(page, change(user, is_staff="on", role="staff")).status_code == 302
    user.refresh_from_db()
    assert (user.role, user.is_staff) == ("staff", True)


def test_a_password_is_changed_in_the_admin(admin: Client) -> None:
    user = User.objects.create_user(email="bob@example.com", first_name="Bob", last_name="B")
    page = f"/admin/accounts/user/{user.pk}/password/"
    body = {"usable_password": "true", "password1": "New-Secret-99", "password2": "New-Secret-99"}
    assert admin.post(page, body).status_code == 302
    user.refresh_from_db()
    assert user.check_password("New-Secret-99")


@pytest.fixture
def message() -> Message:
    services.register(email="eve@example.com", password="x", first_name="<script>alert(1)</script>", last_name="E")
    return Message.objects.get()


def test_messages_are_found_and_shown_but_not_edited(admin: Client, message: Message) -> None:
    page = f"/admin/notifications/message/{message.pk}/change/"
    assert message.key in admin.get("/admin/notifications/message/?q=eve@example").content.decode()
    shown = admin.get(page).content.decode()
    assert message.message_id.strip("<>") in shown
    assert 'name="_save"' not in shown
    assert admin.post(page, {"state": "sent"}).status_code == 403
    assert admin.get("/admin/notifications/message/add/").status_code == 403
    assert admin.post(f"/admin/notifications/message/{message.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("term", ["welcome:", "eve@example.com", "script"])
def test_messages_are_searched(admin: Client, message: Message, term: str) -> None:
    assert message.key in admin.get("/admin/notifications/message/", {"q": term}).content.decode()


def test_messages_are_searched_by_the_id_of_their_job(admin: Client, message: Message) -> None:
    assert message.key in admin.get("/admin/notifications/message/", {"q": str(message.job_id)}).content.decode()


def test_the_preview_of_a_mail_runs_nothing(admin: Client, message: Message) -> None:
    shown = admin.get(f"/admin/notifications/message/{message.pk}/change/").content.decode()
    assert "<script>alert" not in shown
    assert "sandbox" in shown
    assert "&amp;lt;script&amp;gt;" in shown  # escaped in the mail, and the mail escaped in the attribute


def test_a_message_whose_template_is_gone_still_opens(admin: Client, message: Message) -> None:
    Message.objects.update(template="gone")
    answer = admin.get(f"/admin/notifications/message/{message.pk}/change/")
    assert answer.status_code == 200
    assert "There is no mail" in answer.content.decode()
