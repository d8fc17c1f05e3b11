"""What becomes of a confirmed PaymentIntent, by its test payment method."""

from __future__ import annotations

from typing import Any

from payments.sandbox.call import Call
from payments.sandbox.cards import SENTENCES, Behaviour
from payments.sandbox.errors import Refusal
from payments.sandbox.events import emit
from payments.sandbox.render import show
from payments.sandbox.resources import charges, disputes
from payments.sandbox.store import Record
from payments.sandbox.world import STRIPE, Origin, World

DETAILS = ("charge", "decline_code", "payment_method")
NO_METHOD = "it's missing a payment method. Update it with one, or confirm it with the parameter payment_method"


def attempt(call: Call, record: Record) -> Record:
    """Confirm with the payment method it has. Raises Refusal (402) when that is declined."""
    world, origin = call.world, call.origin
    if record.data["payment_method"] is None:
        raise unexpected_state(call, record, "You cannot confirm", NO_METHOD)
    method = world.store.get("payment_method", record.data["payment_method"])
    behaviour = Behaviour.of(method.hidden["behaviour"])
    if behaviour.decline:
        raise _declined(call, record, method, behaviour)
    if behaviour.challenge:
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
        call.store.change(record, status="requires_action", next_action=action)
        call.emit(record, "payment_intent.requires_action")
    elif behaviour.bank:
        charge = charges.make(world, record, method, "pending", origin)
        call.store.change(record, status="processing", latest_charge=charge.id)
        call.emit(record, "payment_intent.processing")
    else:
        succeed(world, record, origin)
    return record


def succeed(world: World, record: Record, origin: Origin = STRIPE) -> None:
    """The customer paid, or the bank debit went through."""
    method = world.store.get("payment_method", record.data["payment_method"])
    behaviour = Behaviour.of(method.hidden["behaviour"])
    charge = _finished_charge(world, record, method, origin)
    world.store.change(
        record, status="succeeded", amount_received=record.data["amount"], latest_charge=charge.id, next_action=None,
        last_payment_error=None, processing=None,
    )  # fmt: skip
    emit(world, record, "payment_intent.succeeded", origin)
    if world.settings.capture == "now":
        charges.capture(world, charge, origin)
    if behaviour.dispute:
        disputes.open_on(world, charge, inquiry=behaviour.dispute == "warning")


def fail(world: World, record: Record, code: str = "payment_intent_authentication_failure") -> None:
    """The customer's authentication or the bank debit failed; another attempt can be made on the same intent."""
    charge = world.store.find("charge", record.data["latest_charge"])
    if charge and charge.data["status"] == "pending":
        former = world.store.change(charge, status="failed", paid=False, failure_code=code)
        emit(world, charge, "charge.failed", former=former)
    error = {"type": "invalid_request_error", "code": code, "message": "The payment failed."}
    world.store.change(
        record, status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error,
        processing=None,
    )  # fmt: skip
    emit(world, record, "payment_intent.payment_failed")


def _finished_charge(world: World, record: Record, method: Record, origin: Origin) -> Record:
    pending = world.store.find("charge", record.data["latest_charge"])
    if pending is None or pending.data["status"] != "pending":
        return charges.make(world, record, method, "succeeded", origin)
    former = world.store.change(pending, status="succeeded")
    emit(world, pending, "charge.succeeded", origin, former=former)
    return pending


def _declined(call: Call, record: Record, method: Record, behaviour: Behaviour) -> Refusal:
    charge = charges.make_declined(call.world, record, method, call.origin)
    code = behaviour.decline or "card_declined"
    why = {"decline_code": behaviour.decline_code} if behaviour.decline_code else {}
    error: dict[str, Any] = {"type": "card_error", "code": code, "message": SENTENCES[code], "charge": charge.id, **why}
    error["payment_method"] = show(call.world, method)
    call.store.change(
        record, status="requires_payment_method", payment_method=None, latest_charge=charge.id, last_payment_error=error
    )
    call.emit(record, "payment_intent.payment_failed")
    more: dict[str, Any] = {name: error[name] for name in DETAILS if name in error}
    more["payment_intent"] = show(call.world, record)
    return Refusal(402, SENTENCES[code], code=code, kind="card_error", **more)


def unexpected_state(call: Call, record: Record, cannot: str, why: str | None = None) -> Refusal:
    """400 payment_intent_unexpected_state."""
    message = f"{cannot} this PaymentIntent because {why or f'it has a status of {record.data["status"]}'}."
    return Refusal(400, message, code="payment_intent_unexpected_state", payment_intent=show(call.world, record))
