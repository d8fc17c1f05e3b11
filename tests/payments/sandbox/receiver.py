"""A webhook endpoint on a real port that keeps what it was sent, byte for byte."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

import stripe

from contralock.local.waiting import wait_until


class Delivery(NamedTuple):
    """One POST as it came."""

    body: bytes
    signature: str

    def event(self, secret: str, **options: Any) -> stripe.Event:
        """The event, its signature checked by the SDK. Raises SignatureVerificationError."""
        return stripe.Webhook.construct_event(self.body, self.signature, secret, **options)


class Receiver:
    """Answers with the statuses in `answers`, one after the other, then with 200."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.answers: list[int] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def wait_for(self, number: int) -> list[Delivery]:
        """What came, once it is at least so many."""
        wait_until(lambda: len(self.deliveries) >= number, limit=10, what=f"{number} webhooks")
        return list(self.deliveries)

    def wait_for_types(self, *types: str, secret: str) -> list[stripe.Event]:
        """The events, once all these types have come."""

        def there() -> bool:
            return set(types) <= {one.event(secret).type for one in list(self.deliveries)}

        wait_until(there, limit=10, what=f"webhooks {types}")
        return [one.event(secret) for one in self.deliveries]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, delivery: Delivery) -> int:
        with self._lock:
            self.deliveries.append(delivery)
            return self.answers.pop(0) if self.answers else 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 5

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver._take(Delivery(body, self.headers["Stripe-Signature"]))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silent."""

        return Handler
