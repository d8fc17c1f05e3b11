"""Payment methods: cards of Stripe's test range (docs.stripe.com/testing)."""

from __future__ import annotations

from typing import Any

from payments.sandbox.call import Call
from payments.sandbox.cards import BY_NUMBER, BY_TOKEN, METHODS, Behaviour
from payments.sandbox.errors import invalid, missing_parameter
from payments.sandbox.lists import Page, page
from payments.sandbox.params import Params
from payments.sandbox.resources.edits import updating
from payments.sandbox.store import Record, Store, fresh

KIND = "payment_method"
YEARS = 3  # a made-up card expires this many years after it was made
update = updating(KIND, event="payment_method.updated")


def create(call: Call) -> Record:
    """POST /v1/payment_methods"""
    kind = call.params.choice("type", ("card", "us_bank_account"))
    if kind is None:
        raise missing_parameter("type")
    behaviour = METHODS["pm_usBankAccount"] if kind == "us_bank_account" else _card(call.params.section("card"))
    metadata, _ = call.params.metadata(), call.params.has("billing_details")
    if kind == "us_bank_account":
        call.params.raw(kind)
    call.begin()
    return add(call.store, call.account, call.now, behaviour, metadata)


def attach(call: Call) -> Record:
    """POST /v1/payment_methods/:id/attach"""
    customer = call.params.required("customer")
    call.begin()
    record = resolve(call, call.path[0], "payment_method")
    call.named("customer", customer, "customer")
    former = call.store.change(record, customer=customer)
    call.emit(record, "payment_method.attached", former)
    return record


def detach(call: Call) -> Record:
    """POST /v1/payment_methods/:id/detach"""
    call.begin()
    record = call.subject(KIND)
    former = call.store.change(record, customer=None)
    call.emit(record, "payment_method.detached", former)
    return record


def listed(call: Call) -> Page:
    """GET /v1/payment_methods"""
    return page(call, KIND, "customer", "type")


def resolve(call: Call, wanted: str, param: str) -> Record:
    """The payment method of this id; each use of a name such as `pm_card_visa` makes a new one."""
    if wanted in METHODS:
        return add(call.store, call.account, call.now, METHODS[wanted], {})
    return call.named(KIND, wanted, param, "PaymentMethod")


def add(store: Store, account: str, now: int, behaviour: Behaviour, metadata: dict[str, str]) -> Record:
    """A payment method that will behave like this."""
    kind = "us_bank_account" if behaviour.bank else "card"
    details: dict[str, Any] = {"last4": behaviour.number[-4:]}
    if not behaviour.bank:
        year = 1970 + now // 31_556_952 + YEARS
        details |= {"brand": behaviour.brand, "exp_month": 12, "exp_year": year, "funding": "credit", "country": "US"}
    address = {"address": None, "email": None, "name": None, "phone": None}
    data = fresh("pm", KIND, now, type=kind, customer=None, metadata=metadata, billing_details=address)
    return store.add(KIND, account, data | {kind: details}, behaviour=behaviour.json())


def _card(card: Params) -> Behaviour:
    """By `card[number]` or `card[token]`; other numbers are refused, this is no place for a real card."""
    token, number = card.text("token"), card.text("number")
    for name in ("exp_month", "exp_year", "cvc"):
        card.text(name)
    if token:
        if token not in BY_TOKEN:
            raise invalid(f"No such token: '{token}'", "card[token]", "resource_missing")
        return BY_TOKEN[token]
    if number is None:
        raise missing_parameter("card[number]")
    if number not in BY_NUMBER:
        raise invalid("Your card number is not one of Stripe's test cards.", "card[number]", "incorrect_number")
    return BY_NUMBER[number]
