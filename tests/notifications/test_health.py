"""Whether mail can be sent: a live conversation, and settings that fit."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.doctor import Level
from notifications import health, smtp
from tests.notifications.post_office import PostOffice


def test_a_server_that_greets_is_well_and_gets_no_mail(post_office: PostOffice) -> None:
    (finding,) = health.mail_server()
    assert finding.level is Level.OK
    assert "greets, without encryption, without login" in finding.what
    assert post_office.mails == []


def test_the_connection_that_mails_use_is_not_touched(post_office: PostOffice) -> None:
    from notifications.smtp import connection

    kept = connection.session()
    smtp.greet()
    assert connection.session() is kept
    assert kept.smtp.noop()[0] == 250
    smtp.close()


def test_a_server_that_is_away_says_where_it_was_looked_for(settings: Any) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", 1, False
    (finding,) = health.mail_server()
    assert finding.level is Level.FAIL
    assert "127.0.0.1:1" in finding.what
    assert "SMTP_HOST" in finding.todo


def test_a_server_without_the_encryption_that_is_asked_for_is_found(post_office: PostOffice, settings: Any) -> None:
    settings.EMAIL_USE_TLS = True
    (finding,) = health.mail_server()
    assert finding.level is Level.FAIL
    assert "STARTTLS" in finding.what


@pytest.mark.parametrize(
    ("changes", "id_"),
    [
        ({"EMAIL_TIMEOUT": None}, "notifications.E001"),
        ({"EMAIL_TIMEOUT": 0}, "notifications.E001"),
        ({"EMAIL_USE_SSL": True, "EMAIL_USE_TLS": True}, "notifications.E002"),
    ],
)
def test_settings_that_hold_a_worker_or_contradict_each_other_are_refused(
    settings: Any, changes: dict[str, Any], id_: str
) -> None:
    assert health.settings_fit() == []
    for name, value in changes.items():
        setattr(settings, name, value)
    assert [error.id for error in health.settings_fit()] == [id_]
