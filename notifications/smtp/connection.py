"""Keeping a connection to the mail server: one per process and thread, opened when needed, used again while fresh."""

from __future__ import annotations

import os
import smtplib  # noqa: TID251 - this package is the wall
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings

from notifications.smtp.answers import TemporaryFailure, one_line

IDLE = 30.0  # seconds unused until a connection is not trusted any more; servers drop idle ones silently
AGE = 300.0  # seconds
COUNT = 100  # mails over one connection
GOODBYE = 2.0  # seconds that QUIT may take


class _Doubt:
    """Knows whether a mail is on its way: from the server's 354 ("go ahead") until its next answer."""

    in_doubt = False

    def getreply(self) -> tuple[int, bytes]:
        """smtplib reads every answer here."""
        code, words = super().getreply()  # type: ignore[misc] # the next in line is smtplib's class
        self.in_doubt = code == 354
        return code, words


class PlainSMTP(_Doubt, smtplib.SMTP): ...


class _TlsSMTP(_Doubt, smtplib.SMTP_SSL): ...


type SMTP = PlainSMTP | _TlsSMTP


class _Key(NamedTuple):
    """What a connection may be used again for. The pid: a forked child must not speak on its parent's line."""

    pid: int
    host: str
    port: int
    user: str
    tls: str


@dataclass(kw_only=True)
class Session:
    """One connection; times are time.monotonic()."""

    key: _Key
    smtp: SMTP
    opened: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.monotonic)
    count: int = 0

    def usable(self, key: _Key, now: float) -> bool:
        """Whether it is ours and still worth trusting."""
        return self.key == key and now - self.used < IDLE and now - self.opened < AGE and self.count < COUNT


class _Slot(threading.local):
    session: Session | None = None


_slot = _Slot()


def close() -> None:
    """Say QUIT on this thread's connection, if there is one; on a parent's connection say nothing."""
    kept, _slot.session = _slot.session, None
    if kept is None or kept.smtp.sock is None:
        return
    if kept.key.pid != os.getpid():
        os.close(kept.smtp.sock.detach())  # our copy of the descriptor; the parent's stays open
        return
    with suppress(smtplib.SMTPException, OSError):
        kept.smtp.sock.settimeout(GOODBYE)
        kept.smtp.quit()
    kept.smtp.close()


def drop() -> None:
    """Let this thread's connection go without a word: nobody knows what the server waits for."""
    kept, _slot.session = _slot.session, None
    if kept is not None:
        kept.smtp.close()


@cache
def tls_context() -> ssl.SSLContext:
    """The one TLS context of this process (45 ms of CPU to make). Certificates are verified.

    A private authority is named by the environment variable SSL_CERT_FILE, which OpenSSL reads.
    """
    return ssl.create_default_context()


@cache
def _own_name() -> str:
    """How we introduce ourselves. Looked up once: a slow resolver takes seconds."""
    name = socket.getfqdn()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def session() -> Session:
    """This thread's connection if it may be used again, else a new one."""
    key = _key()
    if _slot.session is None or not _slot.session.usable(key, time.monotonic()):
        close()
        _slot.session = Session(key=key, smtp=_open(key))
    return _slot.session


def greet() -> str:
    """Connect, encrypt, log in and say QUIT, on a connection of its own. Raises TemporaryFailure."""
    key = _key()
    began = time.monotonic()
    smtp = _open(key)
    took = time.monotonic() - began
    smtp.sock.settimeout(GOODBYE)  # type: ignore[union-attr] # it is open
    with suppress(smtplib.SMTPException, OSError):
        smtp.quit()
    smtp.close()
    line = {"implicit": "TLS", "starttls": "STARTTLS", "none": "without encryption"}[key.tls]
    login = f"logged in as {key.user}" if key.user else "without login"
    return f"{key.host}:{key.port} greets, {line}, {login} ({took * 1000:.0f} ms)"


def _key() -> _Key:
    tls = "implicit" if settings.EMAIL_USE_SSL else "starttls" if settings.EMAIL_USE_TLS else "none"
    return _Key(os.getpid(), settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_USER, tls)


def _open(key: _Key) -> SMTP:
    """Connect, encrypt, log in. What goes wrong here is about us or the server, never about a mail."""
    smtp: SMTP | None = None
    where: dict[str, Any] = {"host": key.host, "port": key.port, "timeout": settings.EMAIL_TIMEOUT}
    where["local_hostname"] = _own_name()
    try:
        smtp = _TlsSMTP(**where, context=tls_context()) if key.tls == "implicit" else PlainSMTP(**where)
        if key.tls == "starttls":
            smtp.starttls(context=tls_context())
        smtp.ehlo_or_helo_if_needed()
        if key.user:
            smtp.login(key.user, settings.EMAIL_HOST_PASSWORD)
        return smtp
    except (smtplib.SMTPException, OSError, UnicodeEncodeError) as error:
        if smtp is not None:
            smtp.close()
        secret = isinstance(error, UnicodeEncodeError)  # its text quotes the password
        said = "SMTP_USER and SMTP_PASS must be ASCII" if secret else words(error)
        raise TemporaryFailure(f"Mail server {key.host}:{key.port}: {said}") from None


def words(error: Exception) -> str:
    """An error's text; of a server's answer its code and words."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {one_line(error.smtp_error)}"
    return one_line(str(error)) or type(error).__name__
