"""A real mail server that answers as a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from contralock.local.ports import LOOPBACK, free_port
from notifications import compose, smtp


class PostOffice:
    """An aiosmtpd server. `answers` maps a step (MAIL, RCPT, DATA, mail) to what the next ones get.

    An answer is a line such as "451 later", "hang up", "silence", or a function called with the server.
    `heard` lists the commands in order, `mails` what was taken.
    """

    def __init__(self, **options: Any) -> None:
        self.answers: dict[str, list[str | Callable[[], None]]] = {}
        self.heard: list[str] = []
        self.mails: list[Envelope] = []
        self.connections: list[Any] = []
        self.options = options
        self.controller = _Controller(self, hostname=LOOPBACK, port=free_port())

    def will(self, step: str, *answers: str | Callable[[], None]) -> None:
        """The next times `step` is reached, do this."""
        self.answers.setdefault(step, []).extend(answers)

    def hang_up_on_everybody(self) -> None:
        """Close every open connection without a word, as an idle timeout does."""
        loop = self.controller.loop
        asyncio.run_coroutine_threadsafe(self._hang_up(), loop).result(5)

    async def _hang_up(self) -> None:
        for transport in self.connections:
            transport.abort()
        self.connections.clear()

    async def answer(self, step: str, server: SMTP, otherwise: str) -> str:
        """What `step` gets now."""
        self.heard.append(step)
        queue = self.answers.get(step)
        what = queue.pop(0) if queue else otherwise
        if callable(what):
            await asyncio.to_thread(what)
            return otherwise
        if what == "silence":
            await asyncio.sleep(5)
        elif what == "hang up":
            _line(server).abort()
        elif what.startswith("421"):
            await server.push(what)
            _line(server).close()
        return what


def _line(server: SMTP) -> asyncio.Transport:
    assert isinstance(server.transport, asyncio.Transport)
    return server.transport


class _Controller(Controller):
    def __init__(self, office: PostOffice, **options: Any) -> None:
        self.office = office
        super().__init__(_Handler(office), ready_timeout=10, **options)

    def factory(self) -> SMTP:
        return _Server(self.office, self.handler, hostname="mail.test", **self.office.options)


class _Server(SMTP):
    def __init__(self, office: PostOffice, *args: Any, **options: Any) -> None:
        self.office = office
        super().__init__(*args, **options)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if transport.get_extra_info("sslcontext") is None:  # STARTTLS makes it anew
            self.office.connections.append(transport)
            self.office.heard.append("connect")

    async def smtp_DATA(self, arg: str) -> None:
        answer = await self.office.answer("DATA", self, "354")
        if answer == "354":
            await super().smtp_DATA(arg)
        elif answer[0] in "45" and not answer.startswith("421"):
            await self.push(answer)


class _Handler:
    def __init__(self, office: PostOffice) -> None:
        self.office = office

    async def handle_MAIL(self, server: SMTP, _s: Session, envelope: Envelope, address: str, _o: list[str]) -> str:
        answer = await self.office.answer("MAIL", server, "250 OK")
        envelope.mail_from = address if answer.startswith("250") else None
        return answer

    async def handle_RCPT(self, server: SMTP, _s: Session, envelope: Envelope, address: str, _o: list[str]) -> str:
        answer = await self.office.answer("RCPT", server, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, _s: Session, envelope: Envelope) -> str:
        self.office.mails.append(envelope)  # it has the mail, whether it says so or not
        answer = await self.office.answer("mail", server, "250 2.0.0 queued as 4711")
        if answer[0] in "45":
            self.office.mails.remove(envelope)
        return answer

    async def handle_QUIT(self, server: SMTP, _s: Session, _e: Envelope) -> str:
        return await self.office.answer("QUIT", server, "221 Bye")

    async def handle_RSET(self, server: SMTP, _s: Session, _e: Envelope) -> str:
        return await self.office.answer("RSET", server, "250 OK")


def open_office(office: PostOffice, settings: Any) -> Iterator[PostOffice]:
    """Run `office` for one test."""
    office.controller.start()
    office.heard.clear()  # the controller knocked once itself
    try:
        with address_to(office, settings):
            yield office
    finally:
        office.controller.stop()


@contextmanager
def address_to(office: PostOffice, settings: Any) -> Iterator[None]:
    """Have this process's mails brought there, in the clear."""
    smtp.close()
    settings.EMAIL_HOST, settings.EMAIL_PORT = LOOPBACK, office.controller.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_TIMEOUT = 2.0
    try:
        yield
    finally:
        smtp.close()


MAIL = compose.build(
    rendered=compose.Rendered(language="en", subject="Hi", text="Hello\n.\nBye\n", html="<p>Hello</p>"),
    to="ada@example.com",
    name="Ada",
    message_id="<1@example.com>",
    written_at=datetime(2026, 1, 2, tzinfo=UTC),
)


def deliver(before_data: Callable[[], None] = lambda: None) -> str:
    """Send MAIL as a worker would."""
    return smtp.deliver(mail=MAIL, before_data=before_data)
