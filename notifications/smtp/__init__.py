"""The wall to the mail server: nobody but this package imports smtplib (or django.core.mail).

`deliver` sends one mail over a kept connection, or by way of a mail service; `close` is for a process (or thread) that
ends; `greet` looks whether the server would take one.
"""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

from notifications.smtp import connection, conversation, service
from notifications.smtp.answers import DeliveryUnknown, MailError, RecipientRefused, Rejected, TemporaryFailure
from notifications.smtp.connection import close

__all__ = [
    "DeliveryUnknown",
    "MailError",
    "RecipientRefused",
    "Rejected",
    "TemporaryFailure",
    "close",
    "deliver",
    "greet",
    "service",
]


def deliver(*, mail: EmailMessage, before_data: Callable[[], None]) -> str:
    """Give `mail` (with one From and one To) away, as EMAIL_BACKEND says, and return the answer.

    `before_data` is called right before the mail is handed over (by SMTP: once the server has agreed to sender and
    recipient); what it raises stops the sending and comes out. It is called again when a kept connection turns out to
    be dead and a fresh one is tried. Raises TemporaryFailure, Rejected or DeliveryUnknown.
    """
    way = service.deliver if service.chosen() else conversation.deliver
    return way(mail=mail, before_data=before_data)


def greet() -> str:
    """Whether a mail would be taken, for people. Raises TemporaryFailure. A service is not asked: it can only send."""
    return f"mails go by way of {service.name()}" if service.chosen() else connection.greet()
