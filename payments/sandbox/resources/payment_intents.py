"""PaymentIntents: a payment from its announcement to the charge (docs.stripe.com/payments/paymentintents/lifecycle)."""

from __future__ import annotations

import secrets
from typing import Any

from payments.sandbox import currencies
from payments.sandbox.call import Call
from payments.sandbox.errors import missing_parameter
from payments.sandbox.lists import listing
from payments.sandbox.params import Params
from payments.sandbox.resources import outcomes, payment_methods
from payments.sandbox.resources.edits import merged, retrieving
from payments.sandbox.store import Record, fresh

KIND = "payment_intent"
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
NOTHING_YET = (
    "application", "application_fee_amount", "canceled_at", "cancellation_reason", "customer", "description",
    "last_payment_error", "latest_charge", "next_action", "on_behalf_of", "payment_method", "processing",
    "receipt_email", "review", "setup_future_usage", "shipping", "source", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_data", "transfer_group",
)  # fmt: skip
retrieve, listed = retrieving(KIND), listing(KIND, "customer")


def create(call: Call) -> Record:
    """POST /v1/payment_intents"""
    params = call.params
    fields = _fields(call, params)
    for name in ("amount", "currency"):
        if name not in fields:
            raise missing_parameter(name)
    kinds = params.items("payment_method_types") or ["card"]
    automatic = _automatic(params)
    confirm_now, method = params.flag("confirm"), params.text("payment_method")
    _read_confirmation(params)
    capture = params.choice("capture_method", ("automatic", "automatic_async")) or "automatic_async"
    _check(call, fields)
    call.begin()
    if fields.get("customer"):
        call.named("customer", fields["customer"], "customer")
    chosen = payment_methods.resolve(call, method, "payment_method") if method else None
    record = call.store.add(KIND, call.account, _data(call, fields, kinds, automatic, capture))
    if chosen:
        call.store.change(record, payment_method=chosen.id, status="requires_confirmation")
    call.emit(record, "payment_intent.created")
    return outcomes.attempt(call, record) if confirm_now else record


def update(call: Call) -> Record:
    """POST /v1/payment_intents/:id"""
    record = call.subject(KIND, "payment_intent")
    fields = _fields(call, call.params)
    method = call.params.text("payment_method")
    _check(call, {name: record.data[name] for name in ("amount", "currency")} | fields)
    call.begin()
    money = {name for name in ("amount", "currency") if fields.get(name, record.data[name]) != record.data[name]}
    if money and record.data["status"] not in OPEN:
        raise outcomes.unexpected_state(call, record, f"You cannot change {', '.join(sorted(money))} of")
    if "metadata" in fields:
        fields["metadata"] = merged(record.data["metadata"], fields["metadata"])
    if method:
        fields["payment_method"] = payment_methods.resolve(call, method, "payment_method").id
        if record.data["status"] == "requires_payment_method":
            fields["status"] = "requires_confirmation"
    call.store.change(record, **fields)
    return record


def confirm(call: Call) -> Record:
    """POST /v1/payment_intents/:id/confirm"""
    method = call.params.text("payment_method")
    _read_confirmation(call.params)
    call.begin()
    record = call.subject(KIND, "payment_intent")
    if record.data["status"] not in OPEN:
        raise outcomes.unexpected_state(call, record, "You cannot confirm")
    if method:
        chosen = payment_methods.resolve(call, method, "payment_method")
        call.store.change(record, payment_method=chosen.id, status="requires_confirmation")
    return outcomes.attempt(call, record)


def cancel(call: Call) -> Record:
    """POST /v1/payment_intents/:id/cancel"""
    reason = call.params.choice("cancellation_reason", REASONS)
    call.begin()
    record = call.subject(KIND, "payment_intent")
    if record.data["status"] not in (*OPEN, "processing"):
        raise outcomes.unexpected_state(call, record, "You cannot cancel")
    former = call.store.change(record, status="canceled", canceled_at=call.now, cancellation_reason=reason)
    call.emit(record, "payment_intent.canceled", former)
    return record


def _fields(call: Call, params: Params) -> dict[str, Any]:
    """What create and update have in common; only what was sent."""
    fields: dict[str, Any] = {}
    for name in ("description", "receipt_email", "customer", "transfer_group", "statement_descriptor_suffix"):
        if params.has(name):
            fields[name] = params.text(name)
    if (amount := params.integer("amount")) is not None:
        fields["amount"] = amount
    if params.has("currency"):
        fields["currency"] = currencies.currency(params)
    if params.has("metadata"):
        fields["metadata"] = params.metadata()
    return fields


def _check(call: Call, fields: dict[str, Any]) -> None:
    code = fields["currency"]
    currencies.check_charge(fields["amount"], code, settled=call.world.settings.conversion.get(code))


def _automatic(params: Params) -> dict[str, Any] | None:
    group = params.section("automatic_payment_methods")
    redirects = group.choice("allow_redirects", ("always", "never")) or "always"
    return {"enabled": True, "allow_redirects": redirects} if group.flag("enabled") else None


def _read_confirmation(params: Params) -> None:
    """Parameters of a confirmation that change nothing here."""
    for name in ("off_session", "return_url", "use_stripe_sdk", "error_on_requires_action"):
        params.text(name)


def _data(
    call: Call, fields: dict[str, Any], kinds: list[str], automatic: dict[str, Any] | None, capture: str
) -> dict[str, Any]:
    data = fresh(
        "pi", KIND, call.now, **dict.fromkeys(NOTHING_YET), amount_received=0, amount_capturable=0, metadata={}
    )
    data |= {"status": "requires_payment_method", "payment_method_types": kinds, "payment_method_options": {}}
    data |= {"automatic_payment_methods": automatic, "capture_method": capture, "confirmation_method": "automatic"}
    return data | fields | {"client_secret": f"{data['id']}_secret_{secrets.token_hex(12)}"}
