"""A way to the local Stripe that can be closed at any point of a call.

A TCP forwarder on a port of its own. It keeps every request that it let through, byte for byte, and the connection
on which it came.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, Self
from urllib.parse import urlsplit

HERE = "127.0.0.1"
LOOK = 0.02  # seconds between two looks at what a test ordered
LIMIT = 90.0  # seconds that anything is held, so that a broken test ends


class Passed(NamedTuple):
    """A whole request that was let through, and the client's port that it came from."""

    port: int
    head: str
    body: bytes

    @property
    def is_post(self) -> bool:
        return self.head.startswith("POST ")

    def header(self, name: str) -> str:
        """A header's value; empty when there is none."""
        lines = (line.partition(":") for line in self.head.split("\r\n")[1:])
        return next((value.strip() for found, _, value in lines if found.lower() == name.lower()), "")


@dataclass
class Gate:
    """Open until a test says otherwise. `url` is where its clients find it; it stays the same."""

    target: str
    passed: list[Passed] = field(default_factory=list)
    cut: int = 0
    """Requests that were lost on the way, or cut: their connections stay open until their clients are gone."""
    waiting: int = 0
    """Answers that are held back."""

    def __post_init__(self) -> None:
        self._accepting, self._answering = threading.Event(), threading.Event()
        self._accepting.set()
        self._answering.set()
        self._part: Callable[[bytes, bytes], bytes] | None = None
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server((HERE, 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://{HERE}:{self.port}"

    # ------------------------------------------------------------ orders
    def close(self) -> None:
        """Whoever connects is refused."""
        self._accepting.clear()
        self._listener.close()

    def lose_requests(self) -> None:
        """Take what is sent, and let nothing of it through."""
        self._part = lambda head, body: b""

    def cut_requests(self, after: int) -> None:
        """Of each request let the head and so many bytes of the body through."""
        self._part = lambda head, body: head + body[:after]

    def hold_answers(self) -> None:
        """Let requests through, and keep what is answered to a POST."""
        self._answering.clear()

    def open(self) -> None:
        """Let everything through, the answers that were held too; what was lost stays lost."""
        self._part = None
        self._answering.set()
        if self._listener.fileno() < 0:
            self._listener = socket.create_server((HERE, self.port))
        self._accepting.set()

    def posts(self) -> list[Passed]:
        """The POSTs that were let through."""
        return [one for one in self.passed if one.is_post]

    # ------------------------------------------------------------ while a test runs
    def __enter__(self) -> Self:
        self._porter = threading.Thread(target=self._let_in, daemon=True)
        self._porter.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.open()
        self._porter.join(LIMIT)
        self._listener.close()

    def _let_in(self) -> None:
        while not self._over.is_set():
            if not self._accepting.wait(LOOK):
                continue
            with suppress(OSError, ValueError):  # closed in between
                if select.select([self._listener], [], [], LOOK)[0] and self._accepting.is_set():
                    client, (_, port) = self._listener.accept()
                    threading.Thread(target=self._serve, args=(client, port), daemon=True).start()

    def _serve(self, client: socket.socket, port: int) -> None:
        parts = urlsplit(self.target)
        with suppress(OSError), client, socket.create_connection((str(parts.hostname), parts.port or 0)) as stripe:
            while (request := _message(client)) and self._forward(request, client, stripe, port):
                answer = _message(stripe, unless_gone=client)
                if request.startswith(b"POST "):
                    self._keep(client)
                client.sendall(answer)
                if not _is_whole(answer):
                    return

    def _forward(self, request: bytes, client: socket.socket, stripe: socket.socket, port: int) -> bool:
        head, _, body = request.partition(b"\r\n\r\n")
        if self._part is not None:
            stripe.sendall(self._part(head + b"\r\n\r\n", body))
            with self._lock:
                self.cut += 1
            _wait_until_gone(client, self._over)
            return False
        with self._lock:
            self.passed.append(Passed(port, head.decode(), body))
        stripe.sendall(request)
        return True

    def _keep(self, client: socket.socket) -> None:
        if self._answering.is_set():
            return
        with self._lock:
            self.waiting += 1
        self._answering.wait(LIMIT)
        with self._lock:
            self.waiting -= 1


def _message(sender: socket.socket, *, unless_gone: socket.socket | None = None) -> bytes:
    """One whole HTTP message with a Content-Length, or what came of it until its sender (or who waits for it) left."""
    got = b""
    while not _is_whole(got):
        readable, _, _ = select.select([sender, *([unless_gone] if unless_gone else [])], [], [])
        if sender not in readable:
            return b""  # who waited is gone
        part = sender.recv(65_536)
        if not part:
            return got
        got += part
    return got


def _is_whole(message: bytes) -> bool:
    head, end, body = message.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end) and len(body) >= (int(lengths[0].partition(b":")[2]) if lengths else 0)


def _wait_until_gone(client: socket.socket, over: threading.Event) -> None:
    while not over.is_set():
        if select.select([client], [], [], LOOK)[0] and not client.recv(65_536):
            return
