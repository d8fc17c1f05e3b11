"""Secrets of a mail: in the mail, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from notifications import compose, sealed, services
from notifications.models import Message
from tests.notifications.post_office import PostOffice
from tests.notifications.running import run

LINK = "https://contralock.test/account/reset?uid=MQ&token=c8x1-3f1d2e5b"
RESET: dict[str, Any] = {
    "key": "password_reset:1:a:1",
    "template": "password_reset",
    "to": "ada@example.com",
    "name": "Ada",
    "language": "en",
    "context": {"first_name": "Ada", "minutes": 60},
    "secrets": {"reset_url": LINK},
}


def test_what_was_sealed_comes_out_again_and_looks_like_nothing_meanwhile() -> None:
    text = sealed.seal({"a": "sécret"})
    assert "cret" not in text
    assert sealed.unseal(text) == {"a": "sécret"}
    assert (sealed.seal({}), sealed.unseal("")) == ("", {})


def test_a_tampered_seal_is_refused() -> None:
    text = sealed.seal({"a": "b"})
    with pytest.raises(ValueError, match="SECRET_KEY"):
        sealed.unseal(text[:-4] + "AAAA")


def test_a_secret_key_that_was_rotated_still_opens(settings: Any) -> None:
    text, old = sealed.seal({"a": "b"}), settings.SECRET_KEY
    settings.SECRET_KEY = "another" * 9
    with pytest.raises(ValueError, match="SECRET_KEY"):
        sealed.unseal(text)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert sealed.unseal(text) == {"a": "b"}


@pytest.mark.django_db(transaction=True)
def test_the_mail_holds_the_secret_and_the_row_never_did(post_office: PostOffice) -> None:
    message = services.send(**RESET)
    assert "3f1d2e5b" not in str(Message.objects.values())
    assert message.context["reset_url"] == sealed.MASK
    assert message.sealed
    assert run(message).state == "completed"
    assert b"3f1d2e5b" in (post_office.mails[0].original_content or b"")
    assert message.sealed == "", "gone once it is sent"


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_is_not_sent_yet_keeps_its_secret(post_office: PostOffice) -> None:
    post_office.will("MAIL", "451 later")
    message = services.send(**RESET)
    run(message)
    assert message.sealed
    assert run(message).state == "completed"
    assert b"3f1d2e5b" in (post_office.mails[0].original_content or b"")


@pytest.mark.django_db(transaction=True)
def test_under_another_secret_key_the_mail_fails_and_says_why(post_office: PostOffice, settings: Any) -> None:
    message = services.send(**RESET)
    settings.SECRET_KEY = "another" * 9
    job = run(message)
    assert (job.state, message.state) == ("failed", "failed")
    assert "SECRET_KEY" in message.error
    assert post_office.mails == []


@pytest.mark.django_db
def test_a_secret_that_is_missing_is_named_at_the_caller() -> None:
    with pytest.raises(compose.MissingVariable, match="reset_url"):
        services.send(**RESET | {"secrets": None})
