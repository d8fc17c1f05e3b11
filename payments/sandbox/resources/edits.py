"""Updating the parts that Stripe lets anybody change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from payments.sandbox.call import Call
from payments.sandbox.store import Record


def merged(former: dict[str, str], sent: dict[str, str]) -> dict[str, str]:
    """Metadata after an update: keys sent are set, keys sent empty are removed, the others stay."""
    return {key: value for key, value in (former | sent).items() if value != ""}


def edit(call: Call, record: Record, *texts: str) -> dict[str, Any]:
    """Apply `metadata` and some text fields of the call; gives the former values."""
    fields: dict[str, Any] = {name: call.params.text(name) for name in texts if call.params.has(name)}
    sent = call.params.metadata()
    call.begin()
    if sent:
        fields["metadata"] = merged(record.data["metadata"], sent)
    return call.store.change(record, **fields)


def updating(kind: str, *texts: str, event: str | None = None) -> Callable[[Call], Record]:
    """An endpoint that updates metadata and some text fields, and emits an event when something changed."""

    def update(call: Call) -> Record:
        record = call.subject(kind)
        former = edit(call, record, *texts)
        if former and event:
            call.emit(record, event, former)
        return record

    return update


def retrieving(kind: str, what: str | None = None) -> Callable[[Call], Record]:
    """An endpoint that shows one object."""

    def retrieve(call: Call) -> Record:
        call.begin()
        return call.subject(kind, what)

    return retrieve
