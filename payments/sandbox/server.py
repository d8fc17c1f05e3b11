"""HTTP on loopback: whole requests in, answers or broken connections out."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import web

from payments.sandbox import automatic, backdoor, onboarding, page
from payments.sandbox.messages import JSON, Answer, Incoming, in_json
from payments.sandbox.options import Options
from payments.sandbox.sandbox import Sandbox

LOOPBACK = "127.0.0.1"
OURSELVES = frozenset({LOOPBACK, "localhost"})
BODY_LIMIT = 1024 * 1024  # bytes of one request
logger = logging.getLogger(__name__)


class Server:
    """A local Stripe that listens. Raises OSError when the port is taken, StateFileUnusable for a bad state file."""

    def __init__(self, options: Options) -> None:
        self.sandbox = Sandbox(options)
        self._options = options
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.5)
        self._clockwork: asyncio.Task[None] | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen; `url` is the address when this returns."""
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._options.port).start()
        self.url = f"http://{LOOPBACK}:{self._runner.addresses[0][1]}"
        await self.sandbox.webhooks.couriers.start()
        if self._options.automatic:
            self._clockwork = asyncio.get_running_loop().create_task(automatic.run(self.sandbox))

    async def stop(self) -> None:
        """Answer nobody any more, and write down what is left to write."""
        if self._clockwork is not None:
            self._clockwork.cancel()
        await self._runner.cleanup()
        await self.sandbox.webhooks.couriers.stop()
        self.sandbox.commit()
        self.sandbox.journal.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.host.rpartition(":")[0] not in OURSELVES:  # a page elsewhere must not reach us by DNS rebinding
            return _whole(in_json({"error": "The local Stripe answers on localhost only."}, 403))
        try:
            body = await _body(request)
        except ConnectionError:  # shorter than its Content-Length: the sender died while writing; nothing was asked
            return web.Response(status=400)
        if body is None:
            return _whole(in_json({"error": f"A request has at most {BODY_LIMIT} bytes."}, 413))
        return await _send(request, await self._answer(_incoming(request, body, self.url)))

    async def _answer(self, incoming: Incoming) -> Answer:
        try:
            if incoming.path.startswith(backdoor.PREFIX):
                return await backdoor.answer(self.sandbox, incoming)
            if incoming.path.startswith(onboarding.PREFIX):
                return onboarding.answer(self.sandbox, incoming)
            if incoming.path == "/" and incoming.method == "GET":
                return page.answer(self.sandbox.world)
            return await self.sandbox.api.answer(incoming)
        except Exception:  # a defect of ours must not look like one of Stripe's faults
            logger.exception("The local Stripe failed on %s %s", incoming.method, incoming.path)
            return in_json({"error": {"message": "The local Stripe has a defect; its log says more.",
                                      "type": "local_stripe_defect"}}, 501)  # fmt: skip


async def _body(request: web.BaseRequest) -> bytes | None:
    """The whole body; None when it is too long. Raises ConnectionError when the sender is gone before its end."""
    if (request.content_length or 0) > BODY_LIMIT:
        return None
    parts, size = [], 0
    while part := await request.content.readany():
        parts.append(part)
        size += len(part)
        if size > BODY_LIMIT:
            return None
    return b"".join(parts)


def _incoming(request: web.BaseRequest, body: bytes, base: str) -> Incoming:
    transport = request.transport
    return Incoming(
        request.method, request.rel_url.raw_path, request.rel_url.raw_query_string, request.headers, body, base,
        lambda: transport is None or transport.is_closing(),
    )  # fmt: skip


def _whole(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=_headers(answer))


def _headers(answer: Answer) -> dict[str, Any]:
    kept = {"Cache-Control": "no-store"} if answer.kind != JSON else {}
    return {"Content-Type": answer.kind} | kept | answer.headers


async def _send(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    if not answer.cut:
        return _whole(answer)
    response: web.StreamResponse = web.Response(status=answer.status)
    if answer.cut == "half":
        response = web.StreamResponse(status=answer.status, headers=_headers(answer))
        response.content_length = len(answer.body)
        await response.prepare(request)
        await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
