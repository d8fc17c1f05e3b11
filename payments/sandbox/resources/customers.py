"""Customers: who pays."""

from __future__ import annotations

from typing import Any

from payments.sandbox.call import Call
from payments.sandbox.lists import listing
from payments.sandbox.resources.edits import edit, retrieving
from payments.sandbox.store import Record, fresh

KIND = "customer"
TEXTS = ("name", "email", "description", "phone")
retrieve, listed = retrieving(KIND), listing(KIND, "email")


def create(call: Call) -> Record:
    """POST /v1/customers"""
    fields = {name: call.params.text(name) for name in TEXTS}
    metadata = call.params.metadata()
    call.begin()
    data = fresh("cus", KIND, call.now, metadata=metadata, balance=0, currency=None, delinquent=False, **fields)
    record = call.store.add(KIND, call.account, data)
    call.emit(record, "customer.created")
    return record


def update(call: Call) -> Record:
    """POST /v1/customers/:id"""
    record = call.subject(KIND)
    if former := edit(call, record, *TEXTS):
        call.emit(record, "customer.updated", former)
    return record


def delete(call: Call) -> dict[str, Any]:
    """DELETE /v1/customers/:id"""
    call.begin()
    record = call.subject(KIND)
    call.emit(record, "customer.deleted")
    call.store.remove(record)
    return {"id": record.id, "object": KIND, "deleted": True}
