"""From registration to a confirmed address, and from a forgotten password to a new one, through a real mail server."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email.policy import default
from typing import Any

import pytest
from django.test import Client

from contralock.accounts.models import User
from notifications.models import Message
from tests.accounts.people import OTHER_PASSWORD, Browser, query_of, work
from tests.accounts.registering import register
from tests.notifications.post_office import PostOffice, open_office

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def office(settings: Any) -> Iterator[PostOffice]:
    yield from open_office(PostOffice(), settings)


def received(office: PostOffice) -> list[Any]:
    """What the mail server got so far, read as a mail program does."""
    assert set(work("notifications.send_message")) == {"completed"}
    return [email.message_from_bytes(bytes(mail.original_content or b""), policy=default) for mail in office.mails]


def link_of(mail: Any) -> str:
    """The same link in both parts."""
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    link = re.search(r"http://testserver/account/\S+\?\S+", text)
    assert link
    assert f'href="{link[0].replace("&", "&amp;")}"' in html
    return link[0]


def test_the_link_in_the_delivered_welcome_confirms_the_address(office: PostOffice) -> None:
    register()
    (welcome,) = received(office)
    assert welcome["Subject"] == "Welcome to ContraLock!"
    link = link_of(welcome)
    assert Client().get(link).status_code == 200
    assert Browser().send("POST", "email/verify", query_of(link)).status_code == 204
    assert User.objects.get().email_verified_at is not None
    assert Message.objects.get().sealed == ""


def test_the_link_in_the_delivered_mail_sets_a_password(office: PostOffice) -> None:
    register()
    Browser().send("POST", "password/reset", {"email": "ada@example.com"})
    work("accounts.mail_password_reset")
    reset = received(office)[-1]
    assert reset["Subject"] == "Set a new password"
    body = query_of(link_of(reset)) | {"newPassword": OTHER_PASSWORD}
    assert Browser().send("POST", "password/reset/confirm", body).status_code == 204
    assert received(office)[-1]["Subject"] == "Your password was changed"
    assert Browser().log_in(password=OTHER_PASSWORD).status_code == 200
