"""The way of a call: key, account, idempotency, endpoint; and what faults make of it."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from payments.sandbox import breakage, errors, expand, faults, forms, ids, routes
from payments.sandbox.call import Call
from payments.sandbox.errors import Refusal
from payments.sandbox.faults import SHOULD_RETRY, Fault, Faults
from payments.sandbox.idempotency import Slot
from payments.sandbox.lists import Page
from payments.sandbox.messages import Answer, Incoming, in_json
from payments.sandbox.params import Params
from payments.sandbox.render import show
from payments.sandbox.routes import Route
from payments.sandbox.settings import API_VERSION
from payments.sandbox.store import Record
from payments.sandbox.world import Origin, World


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was read: what is asked, by whom, under which key."""

    incoming: Incoming
    route: Route
    params: dict[str, Any]
    paths: list[str]  # to expand
    request_id: str
    account: str
    api_key: str
    slot: Slot | None


class Api:
    """Answers /v1. `commit` writes down what a call changed; it is called before the answer is sent."""

    def __init__(self, keys: frozenset[str], world: Callable[[], World], commit: Callable[[], None]) -> None:
        self._keys = keys
        self._world = world
        self._commit = commit
        self.faults = Faults()

    async def answer(self, incoming: Incoming) -> Answer:
        """Answer one request, or break it as ordered."""
        request_id = ids.new("req")
        fault = Fault()
        try:
            params = forms.decode(incoming.query if incoming.method != "POST" else incoming.body.decode())
            fault = self.faults.strike(incoming.method, incoming.path, params)
            if fault.kind in ("drop_before", "hang_before") or (fault.kind == "html" and not fault.effect):
                return await breakage.instead(fault, incoming)
            if refusal := faults.refuse(fault, incoming.headers.get("Idempotency-Key", "")):
                raise refusal
            answer = await self._take(self._read(incoming, params, request_id), fault)
        except UnicodeDecodeError:
            answer = _refused(errors.invalid("The request's body is not UTF-8."))
        except Refusal as refusal:
            answer = _refused(refusal)
        answer.headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION} | answer.headers
        return await breakage.after(fault, incoming, answer)

    def _read(self, incoming: Incoming, params: dict[str, Any], request_id: str) -> Asked:
        """Who asks for what. Raises Refusal: 401, 403, 404, bad `expand`."""
        api_key = self._key(incoming)
        account = self._account(incoming, api_key)
        route = routes.find(incoming.method, unquote(incoming.path))
        if route is None:
            message = (
                f"Unrecognized request URL ({incoming.method}: {incoming.path}). Please see https://stripe.com/docs."
            )
            raise Refusal(404, message)
        paths = Params({"expand": params.get("expand")}).items("expand")
        own = {name: value for name, value in params.items() if name != "expand"}
        in_list = incoming.method == "GET" and not _names_one(incoming.path, route)
        expand.check(route.kind, paths, in_list=in_list)
        key = incoming.headers.get("Idempotency-Key")
        slot = Slot(account, key, incoming.path, params) if key and incoming.method == "POST" else None
        return Asked(incoming, route, own, paths, request_id, account, api_key, slot)

    def _key(self, incoming: Incoming) -> str:
        """The API key, as bearer token or user name. Raises Refusal (401)."""
        scheme, _, value = incoming.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                value = base64.b64decode(value, validate=True).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                value = ""
        if not value:
            raise Refusal(401, "You did not provide an API key. You need to provide your API key in the Authorization "
                               "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').")  # fmt: skip
        if value not in self._keys:
            raise Refusal(401, f"Invalid API Key provided: {errors.masked(value)}")
        return value

    def _account(self, incoming: Incoming, api_key: str) -> str:
        """The account the call acts for. Raises Refusal (403)."""
        wanted = incoming.headers.get("Stripe-Account") or ids.PLATFORM
        found = self._world().store.find("account", wanted)
        if found is None or found.hidden["gone"]:
            raise errors.no_access(wanted, api_key)
        return wanted

    async def _take(self, asked: Asked, fault: Fault) -> Answer:
        """Under the call's idempotency key, if it has one: replay, or run and remember."""
        world, slot = self._world(), asked.slot
        if slot is None:
            return await self._late(world, asked, fault)
        found = world.keys.enter(slot)
        if found is not None:
            return _replay(found, slot)
        try:
            answer = await self._late(world, asked, fault)
        finally:
            world.keys.leave(slot)
        answer.headers |= {"Idempotency-Key": slot.key, "Original-Request": asked.request_id}
        return answer

    async def _late(self, world: World, asked: Asked, fault: Fault) -> Answer:
        """Run after the ordered latency and stall, if the world that was asked is still the one there is."""
        if fault.latency:
            await asyncio.sleep(fault.latency)
        while self.faults.ordered(fault.stall):
            await asyncio.sleep(breakage.LOOK)
        if world is not self._world():
            return Answer(502, b"", cut="drop")
        return self._run(world, asked, fault)

    def _run(self, world: World, asked: Asked, fault: Fault) -> Answer:
        """Run the endpoint and remember its outcome, all at once: nothing else runs meanwhile."""
        origin = Origin(asked.request_id, asked.slot.key if asked.slot else None, float(fault.get("late_webhook", 0)))
        call = Call(
            world, asked.account, asked.route.ids, Params(asked.params), origin, asked.api_key, asked.incoming.base
        )
        headers: dict[str, str] = {}
        try:
            status, body = 200, self._execute(call, asked, fault)
            if fault.kind == "server_error":
                raise faults.server_error(fault)
        except Refusal as refusal:
            status, body, headers = refusal.status, refusal.body, refusal.headers
        if call.began and asked.slot:
            world.keys.remember(asked.slot, status, body, asked.request_id)
            headers = headers if status < 400 else {SHOULD_RETRY: "false"} | headers
        self._commit()
        return in_json(body, status, dict(headers))

    def _execute(self, call: Call, asked: Asked, fault: Fault) -> dict[str, Any]:
        if not fault.effect:  # an error that was ordered, in the endpoint's place
            call.began = bool(fault.get("saved", True))
            raise faults.server_error(fault) if fault.kind == "server_error" else faults.ordered_error(fault)
        result = asked.route.run(call)
        if isinstance(result, Record):
            shown = show(call.world, result)
        elif isinstance(result, Page):
            objects = [show(call.world, one) for one in result.records]
            shown = {"object": "list", "data": objects, "has_more": result.has_more, "url": asked.incoming.path}
        else:
            shown = result
        expand.expand(call.world, shown, asked.paths)
        return shown


def _names_one(path: str, route: Route) -> bool:
    """Whether a GET asks for one object: its path ends with an id, or is a singleton's."""
    return path.rstrip("/").endswith((*route.ids[-1:], "/balance", "/account", "/balance_settings"))


def _refused(refusal: Refusal) -> Answer:
    return in_json(refusal.body, refusal.status, dict(refusal.headers))


def _replay(found: Record, slot: Slot) -> Answer:
    kept = found.data
    headers = {"Idempotency-Key": slot.key, "Original-Request": kept["request_id"], "Idempotent-Replayed": "true"}
    if kept["status"] >= 400:
        headers[SHOULD_RETRY] = "false"
    return in_json(kept["body"], kept["status"], headers)
