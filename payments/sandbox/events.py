"""Event objects: one for every fact, with a snapshot of the object and the request that caused it."""

from __future__ import annotations

from typing import Any

from payments.sandbox import ids
from payments.sandbox.render import show
from payments.sandbox.settings import API_VERSION
from payments.sandbox.store import Record, fresh
from payments.sandbox.world import STRIPE, Origin, World

KIND = "event"


def emit(
    world: World,
    record: Record,
    name: str,
    origin: Origin = STRIPE,
    *,
    former: dict[str, Any] | None = None,
    account: str | None = None,
) -> Record:
    """Write the event down under the object's account (or `account`) and have it delivered."""
    return emit_object(world, show(world, record), name, origin, former=former, account=account or record.account)


def emit_object(
    world: World,
    shown: dict[str, Any],
    name: str,
    origin: Origin = STRIPE,
    *,
    account: str,
    former: dict[str, Any] | None = None,
) -> Record:
    """The same for an object that is no record of its own, such as the balance."""
    data: dict[str, Any] = {"object": shown}
    if former:
        data["previous_attributes"] = former
    event = fresh(
        "evt", KIND, world.clock.now(), type=name, api_version=API_VERSION, data=data, pending_webhooks=0,
        request={"id": origin.request_id, "idempotency_key": origin.idempotency_key},
    )  # fmt: skip
    if account != ids.PLATFORM:
        event["account"] = account
    record = world.store.add(KIND, account, event)
    world.announce(record, origin)
    return record
