"""A mail server for development: takes every mail over real SMTP and shows it on a web page.

python -m contralock.local.mailcatcher --smtp-port 1025 --http-port 8025 --dir .local/mails
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from contralock.local import mailpages
from contralock.local.mailbox import CaughtMail, Mailbox
from contralock.local.ports import LOOPBACK, free_port
from contralock.local.waiting import wait_until

SHOWN = 200  # mails on the index page
SIZE_LIMIT = 32 * 1024 * 1024  # bytes of one mail, as large providers take


class MailCatcher:
    """SMTP and web page in this process, each on its own thread; mails outlive it in `folder`."""

    def __init__(self, folder: Path, *, smtp_port: int | None = None, http_port: int | None = None) -> None:
        self.mailbox = Mailbox(folder)
        self.smtp_port = smtp_port or free_port()
        self.http_port = http_port or free_port()
        self._smtp: Controller | None = None
        self._http: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Address of the index page, without a slash at its end."""
        return f"http://{LOOPBACK}:{self.http_port}"

    def start(self) -> Self:
        """Listen; both ports accept when this returns. Raises OSError when one is taken."""
        self._http = _Web((LOOPBACK, self.http_port), self.mailbox)
        threading.Thread(target=self._http.serve_forever, args=(0.05,), name="mail-web", daemon=True).start()
        self._smtp = Controller(
            _Catch(self.mailbox), hostname=LOOPBACK, port=self.smtp_port, data_size_limit=SIZE_LIMIT, ready_timeout=10
        )
        self._smtp.start()
        return self

    def stop(self) -> None:
        """Close both ports; mails stay."""
        if self._smtp is not None:
            self._smtp.stop()
            self._smtp = None
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def mails(self) -> list[CaughtMail]:
        """Mails caught, newest first."""
        return self.mailbox.all()

    def wait_for(self, number: int = 1, *, limit: float = 10.0) -> list[CaughtMail]:
        """Mails, newest first, once there are at least `number`; TimeoutError after `limit` seconds."""
        wait_until(lambda: self.mailbox.count() >= number, limit=limit, what=f"{number} mail(s)")
        return self.mails()


class _Catch:
    """The hook aiosmtpd calls; it answers 250 only after the mail is on disk."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        content = envelope.original_content or b""
        name = self.mailbox.add(content, [str(one) for one in envelope.rcpt_tos])
        return f"250 2.0.0 OK, kept as {name}"


class _Web(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        super().__init__(address, _Pages)


class _Pages(BaseHTTPRequestHandler):
    server: _Web
    server_version = "ContraLockMail"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds an idle connection is kept
    kinds: ClassVar = {"html": "text/html; charset=utf-8", "eml": "message/rfc822"}

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if not self._asked_for_loopback():
            return
        box = self.server.mailbox
        if path == "/":
            self._page(mailpages.index(box.all(SHOWN), box.count()))
        elif path == mailpages.STYLE_URL:
            self._answer(mailpages.STYLE.encode(), "text/css; charset=utf-8")
        elif path == "/api/mails":
            self._json([mail.summary() for mail in box.all()])
        elif path.startswith("/mails/"):
            self._mail(*path.removeprefix("/mails/").partition(".")[::2])
        else:
            self._page(mailpages.missing(), HTTPStatus.NOT_FOUND)

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def do_DELETE(self) -> None:
        if not self._asked_for_loopback():
            return
        if urlsplit(self.path).path == "/api/mails":
            self._json({"deleted": self.server.mailbox.clear()})
        else:
            self._json({"error": "not found"}, HTTPStatus.NOT_FOUND)

    def _asked_for_loopback(self) -> bool:
        """Refuse other names in Host: a page elsewhere must not read the mails by DNS rebinding."""
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        if host in {"localhost", LOOPBACK}:
            return True
        self._json({"error": "only on localhost"}, HTTPStatus.FORBIDDEN)
        return False

    def _mail(self, name: str, form: str) -> None:
        mail = self.server.mailbox.get(name)
        if mail is None or form not in {"", "html", "eml"}:
            self._page(mailpages.missing(), HTTPStatus.NOT_FOUND)
        elif form == "html":
            self._answer(mail.html.encode(errors="replace"), self.kinds["html"], policy=mailpages.FRAME)
        elif form == "eml":
            saved_as = {"Content-Disposition": f'attachment; filename="{mail.id}.eml"'}
            self._answer(mail.raw, self.kinds["eml"], headers=saved_as)
        else:
            self._page(mailpages.one(mail))

    def _page(self, html: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._answer(html.encode(errors="replace"), self.kinds["html"], status)

    def _json(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._answer(json.dumps(value).encode(), "application/json", status)

    def _answer(
        self,
        body: bytes,
        kind: str,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        policy: str = mailpages.PAGE,
        headers: dict[str, str] | None = None,
    ) -> None:
        fixed = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        self.send_response(status)
        for name, value in (fixed | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Silent: the index page refreshes itself every five seconds."""


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="mailcatcher", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    options = parser.parse_args(arguments)
    signal.pthread_sigmask(signal.SIG_BLOCK, ends := {signal.SIGTERM, signal.SIGINT})
    with MailCatcher(options.dir, smtp_port=options.smtp_port, http_port=options.http_port) as catcher:
        print(f"SMTP on {LOOPBACK}:{catcher.smtp_port}, pages on {catcher.url}", flush=True)
        signal.sigwait(ends)
    return 0


if __name__ == "__main__":
    sys.exit(main())
