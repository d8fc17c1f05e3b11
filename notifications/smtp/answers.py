"""What a mail server's answer means (pure: no connection, no clock)."""

from __future__ import annotations

import re

# "Authenticate first" and "encrypt first": about us, not about the mail.
OUR_FAULT = frozenset({530, 534, 535, 538})
TOO_LARGE = 552
CLOSING = 421

ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
"""An enhanced status code, RFC 3463, as RFC 2034 puts it in front of a server's words."""
ABOUT_THE_SENDER = frozenset({"5.1.7", "5.1.8"})
NO_SUCH_MAILBOX = frozenset({550, 551, 553})
"""What servers without enhanced codes answer to a recipient they do not have (RFC 5321, 4.2.3)."""
ABOUT_US = re.compile(
    r"relay|spam|block|black|deny|denied|policy|reputation|spf|dkim|dmarc|authenti|helo", re.IGNORECASE
)
"""Without an enhanced code 550 is also said to strangers: a blocked or badly set up sender gets it of everybody."""


class MailError(Exception):
    """A mail was not sent, or nobody knows whether it was. The text holds the server's words."""


class TemporaryFailure(MailError):
    """Not now; trying again may help. A wrong password belongs here: it must not fail a day's mails for good."""


class Rejected(MailError):
    """Never: the server refuses the recipient or the mail itself.

    `command` is what was answered, `code` and `enhanced` (such as 5.1.1) how; empty and 0 where no server was asked.
    """

    def __init__(self, text: str, *, command: str = "", code: int = 0, enhanced: str = "") -> None:
        super().__init__(text)
        self.command, self.code, self.enhanced = command, code, enhanced

    @property
    def hard_bounce(self) -> bool:
        """Whether the recipient's address is what cannot be, so that no other mail will reach it either.

        Not so a full mailbox (5.2.2, 552), nor a refusal of the content or of us (5.7.x).
        """
        if self.command != "RCPT" or not 500 <= self.code < 600:
            return False
        if self.enhanced:
            return of_the_recipient(self.enhanced)
        return self.code in NO_SUCH_MAILBOX and not ABOUT_US.search(str(self))


class RecipientRefused(Rejected):
    """Never to this address, says a mail service that has a list of its own."""

    @property
    def hard_bounce(self) -> bool:
        """It is."""
        return True


class DeliveryUnknown(MailError):
    """The mail was handed over and no answer came: it may have been delivered."""


class HungUp(TemporaryFailure):
    """The server ended the conversation, and it does not have the mail."""


def of_the_recipient(enhanced: str) -> bool:
    """Whether an enhanced status code says that the recipient's address cannot be."""
    return enhanced.startswith("5.1.") and enhanced not in ABOUT_THE_SENDER


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
        enhanced = ENHANCED.match(one_line(words))
        raise Rejected(text, command=command, code=code, enhanced=enhanced.group() if enhanced else "")
    if command == "the mail" and not 400 <= code < 600:
        raise DeliveryUnknown(f"The mail was handed over and the answer makes no sense: {said}")
    raise TemporaryFailure(text)  # a refused MAIL is about our own address


def one_line(words: bytes | str) -> str:
    """The server's words on one line that can be stored."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return " ".join(text.replace("\0", "").split())
