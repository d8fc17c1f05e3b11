"""Transfers to connected accounts (docs.stripe.com/connect/separate-charges-and-transfers).

A transfer has no status: when it is there, the platform's balance went down and the account's went up.
"""

from __future__ import annotations

from typing import Any

from payments.sandbox import currencies, ids
from payments.sandbox.call import Call
from payments.sandbox.errors import balance_insufficient, invalid, missing_parameter, no_such
from payments.sandbox.lists import listing
from payments.sandbox.resources import charges
from payments.sandbox.resources.edits import retrieving, updating
from payments.sandbox.store import Record, fresh

KIND = "transfer"
SHORT = (
    "You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance "
    "by creating Charges using the 4000000000000077 test card. See: https://stripe.com/docs/testing#available-balance"
)
NOT_ABLE = (
    "Your destination account needs to have at least one of the following capabilities enabled: "
    "transfers, crypto_transfers, legacy_payments"
)
update = updating(KIND, "description", event="transfer.updated")
retrieve, listed = retrieving(KIND), listing(KIND, "destination", "transfer_group")


def create(call: Call) -> Record:
    """POST /v1/transfers"""
    params = call.params
    amount, currency = params.integer("amount"), currencies.currency(params)
    destination, source = params.required("destination"), params.text("source_transaction")
    fields: dict[str, Any] = {name: params.text(name) for name in ("description", "transfer_group")}
    fields["metadata"] = params.metadata()
    fields["source_type"] = params.choice("source_type", ("card", "bank_account", "fpx")) or "card"
    if amount is None and source is None:
        raise missing_parameter("amount")
    if amount is not None:
        currencies.check_form(amount, currency)
    call.begin()
    account = _destination(call, destination)
    if source is not None:
        return _from_charge(call, account, amount, currency, call.named("charge", source, "source_transaction"), fields)
    if call.world.balances.available(call.account, currency) < (amount or 0):
        raise balance_insufficient(SHORT)
    return _make(call, account, amount or 0, currency, call.now, fields | {"source_transaction": None})


def _destination(call: Call, wanted: str) -> Record:
    """The connected account. Raises Refusal when it is unknown, gone, or may not receive transfers."""
    account = call.store.find("account", wanted)
    if account is None or account.hidden["gone"] or wanted == ids.PLATFORM:
        raise no_such("destination", wanted, param="destination")
    if account.data["capabilities"].get("transfers") != "active":
        raise invalid(NOT_ABLE, code="insufficient_capabilities_for_transfer")
    return account


def _from_charge(
    call: Call, account: Record, amount: int | None, currency: str, source: Record, fields: dict[str, Any]
) -> Record:
    """Out of a charge's money, which may still be pending; it then arrives when the charge settles."""
    settled = charges.settled_in(call.world, source)
    if source.data["status"] != "succeeded" or source.hidden.get("derived"):
        raise invalid(f"{source.id} is no succeeded charge of this account.", "source_transaction")
    if currency != settled:
        message = (
            f"The currency of source_transaction's balance transaction ({settled}) must be the same as the transfer "
            f"currency ({currency})"
        )
        raise invalid(message, "currency")
    taken = amount if amount is not None else source.data["amount"] - source.hidden["transferred"]
    _check_left(source, taken)
    fields |= {"source_transaction": source.id, "transfer_group": _group(fields["transfer_group"], source)}
    record = _make(call, account, taken, currency, charges.available_on(call.world, source), fields)
    call.store.note(source, transferred=source.hidden["transferred"] + taken)
    call.store.change(source, transfer_group=record.data["transfer_group"])
    return record


def _check_left(source: Record, amount: int) -> None:
    """Raise Refusal for more than the charge has left. Reversed transfers still count: seen at Stripe, where a second
    transfer out of a charge was refused after the first had been reversed."""
    total, gone, currency = source.data["amount"], source.hidden["transferred"], source.data["currency"]
    if amount < 1 or gone + amount > total:
        already = f" (There is already a transfer using this source, amounting to {currencies.words(gone, currency)}.)"
        message = (
            "Transfers using this transaction as a source must not exceed the source amount of "
            f"{currencies.words(total, currency)}.{already if gone else ''}"
        )
        raise invalid(message)


def _group(asked: str | None, source: Record) -> str:
    """The transfer's group: the charge's, which then must be the one asked for; else `group_<payment>`."""
    group = source.data["transfer_group"]
    if group and asked not in (None, group):
        message = f"The source_transaction is in the transfer_group {group}; the transfer cannot be in another."
        raise invalid(message, "transfer_group")
    return str(group or asked or f"group_{source.data['payment_intent']}")


def _make(call: Call, account: Record, amount: int, currency: str, when: int, fields: dict[str, Any]) -> Record:
    """Move the money, available at `when`, and write the transfer down on both sides."""
    post = call.world.balances.post
    data = fresh("tr", KIND, call.now, amount=amount, amount_reversed=0, currency=currency, destination=account.id)
    payment = _payment(call, account.id, amount, currency, data["id"])
    out = post(
        call.account, -amount, currency, kind="transfer", category="transfer", source=data["id"], available_on=when
    )
    into = post(account.id, amount, currency, kind="payment", category="charge", source=payment.id, available_on=when)
    call.store.change(payment, balance_transaction=into.id)
    data |= fields | {"balance_transaction": out.id, "destination_payment": payment.id, "reversed": False}
    record = call.store.add(KIND, call.account, data)
    call.emit(record, "transfer.created")
    return record


def _payment(call: Call, account: str, amount: int, currency: str, transfer: str) -> Record:
    """What the connected account sees: a payment it received."""
    data = fresh(
        "py", "charge", call.now, amount=amount, amount_captured=amount, amount_refunded=0, balance_transaction=None,
        captured=True, currency=currency, customer=None, description=None, disputed=False,
        failure_balance_transaction=None, failure_code=None, failure_message=None, metadata={}, paid=True,
        payment_intent=None, payment_method=None, refunded=False, source_transfer=transfer, status="succeeded",
        transfer_group=None,
    )  # fmt: skip
    return call.store.add("charge", account, data, derived=True)
