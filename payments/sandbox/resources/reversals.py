"""Transfer reversals: money taken back from a connected account (docs.stripe.com/api/transfer_reversals)."""

from __future__ import annotations

from payments.sandbox.call import Call
from payments.sandbox.errors import invalid, no_such
from payments.sandbox.lists import Page, page
from payments.sandbox.resources.edits import edit
from payments.sandbox.store import Record, fresh

KIND = "transfer_reversal"
# As Stripe words it. No error code is known to come with it, so none does here.
SHORT = "The recipient of this transfer does not have sufficient funds in their Stripe balance to reverse this amount."


def create(call: Call) -> Record:
    """POST /v1/transfers/:id/reversals: only as far as the connected account's balance covers it"""
    amount, metadata = call.params.integer("amount"), call.params.metadata()
    description, _ = call.params.text("description"), call.params.flag("refund_application_fee")
    call.begin()
    transfer = call.subject("transfer")
    left = transfer.data["amount"] - transfer.data["amount_reversed"]
    if left == 0:
        raise invalid(f"Transfer {transfer.id} is already fully reversed.")
    if amount is not None and amount > left:
        raise invalid(f"Reversal amount ({amount}) is greater than the unreversed amount of the transfer ({left}).",
                      "amount")  # fmt: skip
    return _take_back(call, transfer, left if amount is None else amount, metadata, description)


def listed(call: Call) -> Page:
    """GET /v1/transfers/:id/reversals"""
    transfer = call.subject("transfer")
    return page(call, KIND, extra=lambda one: bool(one.data["transfer"] == transfer.id))


def retrieve(call: Call) -> Record:
    """GET /v1/transfers/:id/reversals/:id"""
    call.begin()
    return _subject(call)


def update(call: Call) -> Record:
    """POST /v1/transfers/:id/reversals/:id"""
    record = _subject(call)
    edit(call, record)
    return record


def _subject(call: Call) -> Record:
    record = call.subject(KIND, at=1)
    if record.data["transfer"] != call.path[0]:
        raise no_such(KIND, record.id, status=404)
    return record


def _take_back(call: Call, transfer: Record, amount: int, metadata: dict[str, str], description: str | None) -> Record:
    world, currency = call.world, transfer.data["currency"]
    when = _arrival(call, transfer)
    _check_covered(call, transfer, amount, when)
    data = fresh("trr", KIND, call.now, amount=amount, currency=currency, transfer=transfer.id, metadata=metadata,
                 source_refund=None)  # fmt: skip
    del data["livemode"]  # Stripe's reversals have none
    into = world.balances.post(call.account, amount, currency, kind="transfer_refund", category="transfer_reversal",
                               source=data["id"], available_on=when, description=description)  # fmt: skip
    refund = _payment_refund(call, transfer, amount, when)
    data |= {"balance_transaction": into.id, "destination_payment_refund": refund.id}
    record = call.store.add(KIND, call.account, data)
    call.store.change(refund, source_transfer_reversal=record.id)
    call.store.note(transfer, children=True)
    total = transfer.data["amount_reversed"] + amount
    former = call.store.change(transfer, amount_reversed=total, reversed=total == transfer.data["amount"])
    call.emit(transfer, "transfer.reversed", former)
    return record


def _arrival(call: Call, transfer: Record) -> int:
    """When the transfer's money is (or was) available on the connected account."""
    payment = call.store.get("charge", transfer.data["destination_payment"])
    return int(call.store.get("balance_transaction", payment.data["balance_transaction"]).data["available_on"])


def _check_covered(call: Call, transfer: Record, amount: int, when: int) -> None:
    """Raise Refusal when the account does not have it. Money that has not settled goes back as it came."""
    purse = (transfer.data["destination"], transfer.data["currency"])
    pending = call.world.balances.pending(*purse) if when > call.now else 0
    if call.world.balances.available(*purse) + pending < amount:
        raise invalid(SHORT)


def _payment_refund(call: Call, transfer: Record, amount: int, when: int) -> Record:
    """What the connected account sees: its payment is refunded, in part or whole."""
    account, currency = transfer.data["destination"], transfer.data["currency"]
    payment = call.store.get("charge", transfer.data["destination_payment"])
    data = fresh("pyr", "refund", call.now, amount=amount, charge=payment.id, currency=currency, metadata={},
                 payment_intent=None, pending_reason=None, reason=None, status="succeeded")  # fmt: skip
    del data["livemode"]
    move = call.world.balances.post(account, -amount, currency, kind="payment_refund", category="refund",
                                    source=data["id"], available_on=when)  # fmt: skip
    total = payment.data["amount_refunded"] + amount
    call.store.change(payment, amount_refunded=total, refunded=total == payment.data["amount"])
    return call.store.add("refund", account, data | {"balance_transaction": move.id}, derived=True)
