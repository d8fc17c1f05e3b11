"""Webhook endpoints: where events are delivered. Their secret is shown once, when they are made."""

from __future__ import annotations

import secrets
from typing import Any

from payments.sandbox.call import Call
from payments.sandbox.errors import invalid, missing_parameter
from payments.sandbox.lists import listing
from payments.sandbox.resources.edits import merged, retrieving
from payments.sandbox.settings import API_VERSION
from payments.sandbox.store import Record, Store, fresh

KIND = "webhook_endpoint"
retrieve, listed = retrieving(KIND), listing(KIND)


def create(call: Call) -> dict[str, Any]:
    """POST /v1/webhook_endpoints; `connect=true`: events of connected accounts"""
    params = call.params
    url, events, connect = params.required("url"), params.items("enabled_events"), params.flag("connect")
    description, metadata = params.text("description"), params.metadata()
    version = params.text("api_version")
    if not events:
        raise missing_parameter("enabled_events")
    _check(url)
    call.begin()
    secret = "whsec_" + secrets.token_hex(16)
    record = add(call.store, call.account, call.now, url, events, connect=connect, secret=secret)
    call.store.change(record, description=description, metadata=metadata, api_version=version or API_VERSION)
    return record.data | {"secret": secret}


def update(call: Call) -> Record:
    """POST /v1/webhook_endpoints/:id"""
    params, record = call.params, call.subject(KIND)
    fields: dict[str, Any] = {}
    if params.has("url"):
        fields["url"] = params.required("url")
        _check(fields["url"])
    if events := params.items("enabled_events"):
        fields["enabled_events"] = events
    if params.has("disabled"):
        fields["status"] = "disabled" if params.flag("disabled") else "enabled"
    if params.has("description"):
        fields["description"] = params.text("description")
    fields["metadata"] = merged(record.data["metadata"], params.metadata())
    call.begin()
    call.store.change(record, **fields)
    return record


def delete(call: Call) -> dict[str, Any]:
    """DELETE /v1/webhook_endpoints/:id"""
    call.begin()
    record = call.subject(KIND)
    call.store.remove(record)
    return {"id": record.id, "object": KIND, "deleted": True}


def add(store: Store, account: str, now: int, url: str, events: list[str], *, connect: bool, secret: str) -> Record:
    """An enabled endpoint. Its secret is not among what Stripe shows."""
    data = fresh("we", KIND, now, api_version=API_VERSION, application=None, description=None, enabled_events=events,
                 metadata={}, status="enabled", url=url)  # fmt: skip
    return store.add(KIND, account, data, connect=connect, secret=secret)


def _check(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise invalid(f"Invalid URL: {url}", "url", "url_invalid")
