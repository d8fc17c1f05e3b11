"""Whether mail can be sent: for `manage.py jobs doctor` (live) and `manage.py check` (settings only)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import Error

from jobs.doctor import Finding, Level
from notifications import smtp


def mail_server() -> Iterator[Finding]:
    """A conversation with the mail server up to the point where a mail would begin."""
    try:
        yield Finding(check="mail", level=Level.OK, what=smtp.greet())
    except smtp.TemporaryFailure as error:
        yield Finding(
            check="mail",
            level=Level.FAIL,
            what=str(error),
            why="Mails wait and are tried again; none is lost.",
            todo="Check SMTP_HOST, SMTP_PORT, SMTP_SECURE, SMTP_STARTTLS, SMTP_USER and SMTP_PASS.",
        )


def settings_fit(**_: Any) -> list[Error]:
    """Settings with which a mail server could hold a worker for ever, or that contradict each other."""
    found = [
        (
            not settings.EMAIL_TIMEOUT or settings.EMAIL_TIMEOUT <= 0,
            "EMAIL_TIMEOUT is not set: a silent mail server would hold a worker until its job's time limit.",
            "Set SMTP_TIMEOUT, in seconds.",
            "notifications.E001",
        ),
        (
            settings.EMAIL_USE_SSL and settings.EMAIL_USE_TLS,
            "SMTP_SECURE (TLS from the first byte) and SMTP_STARTTLS exclude each other.",
            "Port 465 takes SMTP_SECURE=true, ports 587 and 25 take SMTP_STARTTLS=true.",
            "notifications.E002",
        ),
        (
            smtp.service.chosen() and not smtp.service.installed(),
            f"EMAIL_BACKEND is {settings.EMAIL_BACKEND}, and django-anymail is not installed.",
            "Install the extra: uv sync --extra esp.",
            "notifications.E003",
        ),
    ]
    return [Error(message, hint=hint, id=id_) for wrong, message, hint, id_ in found if wrong]
