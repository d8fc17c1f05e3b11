"""What a mail server's answer means (pure: no connection, no clock)."""

from __future__ import annotations

# "Authenticate first" and "encrypt first": about us, not about the mail.
OUR_FAULT = frozenset({530, 534, 535, 538})
TOO_LARGE = 552
CLOSING = 421


class MailError(Exception):
    """A mail was not sent, or nobody knows whether it was. The text holds the server's words."""


class TemporaryFailure(MailError):
    """Not now; trying again may help. A wrong password belongs here: it must not fail a day's mails for good."""


class Rejected(MailError):
    """Never: the server refuses the recipient or the mail itself."""


class DeliveryUnknown(MailError):
    """The mail was handed over and no answer came: it may have been delivered."""


class HungUp(TemporaryFailure):
    """The server ended the conversation, and it does not have the mail."""


def read(command: str, code: int, words: bytes | str, *, good: int) -> str:
    """The server's answer as text if its code is `good`; else raises the MailError that it means.

    `command` is MAIL, RCPT, DATA, or "the mail" for the answer to the mail itself.
    """
    said = f"{code} {one_line(words)}"
    if code == good or (command == "RCPT" and code == 251):  # 251: will forward
        return said
    text = f"The mail server refused {command}: {said}"
    if code == CLOSING:
        raise HungUp(text)
    if 500 <= code < 600 and code not in OUR_FAULT and (command != "MAIL" or code == TOO_LARGE):
        raise Rejected(text)
    if command == "the mail" and not 400 <= code < 600:
        raise DeliveryUnknown(f"The mail was handed over and the answer makes no sense: {said}")
    raise TemporaryFailure(text)  # a refused MAIL is about our own address


def one_line(words: bytes | str) -> str:
    """The server's words on one line that can be stored."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return " ".join(text.replace("\0", "").split())
