"""One mail over a connection, and what it means when that fails."""

from __future__ import annotations

import smtplib  # noqa: TID251 - this package is the wall
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any, NamedTuple

from notifications.smtp import answers, connection
from notifications.smtp.answers import DeliveryUnknown, HungUp, Rejected, TemporaryFailure
from notifications.smtp.connection import SMTP, Session, words


class _Letter(NamedTuple):
    """A mail as it is handed over: envelope and bytes."""

    sender: str
    recipient: str
    body: bytes


def deliver(*, mail: EmailMessage, before_data: Callable[[], None]) -> str:
    """Give `mail` to the server by SMTP; what notifications.smtp.deliver says."""
    letter = _Letter(sender=_address(mail["From"]), recipient=_address(mail["To"]), body=mail.as_bytes())
    session = connection.session()
    reused = session.count > 0
    try:
        return _converse(session, letter, before_data)
    except HungUp:
        if not reused:
            raise
    return _converse(connection.session(), letter, before_data)


def _converse(session: Session, letter: _Letter, before_data: Callable[[], None]) -> str:
    """One mail over a connection. A refusal leaves it good for the next; after anything else it is dropped."""
    session.count += 1
    try:
        answer = _say(session.smtp, letter, before_data)
    except BaseException as error:
        refused = isinstance(error, Rejected | TemporaryFailure) and not isinstance(error, HungUp)
        if not (refused and _reset(session.smtp)):
            connection.drop()
        raise
    session.used = time.monotonic()
    return answer


def _say(smtp: SMTP, letter: _Letter, before_data: Callable[[], None]) -> str:
    """MAIL, RCPT, DATA: smtplib's own sendmail with a door for `before_data` in it."""
    size = [f"size={len(letter.body)}"] if smtp.has_extn("size") else []
    with _line(smtp):
        answers.read("MAIL", *smtp.mail(letter.sender, size), good=250)
        answers.read("RCPT", *smtp.rcpt(letter.recipient), good=250)
    before_data()
    with _line(smtp):
        try:
            answer = smtp.data(letter.body)
        except smtplib.SMTPDataError as error:  # the command was refused; the mail was not handed over
            return answers.read("DATA", error.smtp_code, error.smtp_error, good=354)
        return answers.read("the mail", *answer, good=250)


@contextmanager
def _line(smtp: SMTP) -> Iterator[None]:
    """A line that breaks (hung up, timed out, babble) leaves doubt when the mail was on its way, else none."""
    try:
        yield
    except (smtplib.SMTPServerDisconnected, smtplib.SMTPResponseException, OSError) as error:
        if smtp.in_doubt:
            raise DeliveryUnknown(f"The mail was handed over and no answer came: {words(error)}") from error
        raise HungUp(f"The mail server hung up: {words(error)}") from error


def _address(header: Any) -> str:
    """The one address of a From or To header."""
    return str(header.addresses[0].addr_spec)


def _reset(smtp: SMTP) -> bool:
    """Have the server forget a refused mail; whether the connection is good for another."""
    try:
        return smtp.rset()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False
