"""Plain HTTP to the local Stripe: for what the SDK does not show, or would not send."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from payments.sandbox.options import KEY


class Reply(NamedTuple):
    """Status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    url: str, method: str, path: str, form: dict[str, Any] | None = None, *, headers: dict[str, str] | None = None
) -> Reply:
    """One request; an API key is sent unless `headers` have an Authorization of their own (empty: none)."""
    sent = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"} | (headers or {})
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(method, path, urlencode(form or {}), {name: text for name, text in sent.items() if text})
        answer: HTTPResponse = connection.getresponse()
        return Reply(answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def connect(url: str) -> socket.socket:
    """A socket to the server, for requests that are cut short."""
    parts = urlsplit(url)
    return socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10)


def request_bytes(form: dict[str, str], *, path: str = "/v1/transfers", key: str = "k") -> bytes:
    """A POST as it goes over the wire."""
    body = urlencode(form).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAuthorization: Bearer {KEY}\r\nIdempotency-Key: {key}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
