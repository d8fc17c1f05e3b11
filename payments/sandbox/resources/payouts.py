"""Payouts: from an account's Stripe balance to its bank (docs.stripe.com/payouts).

`paid` is not the end: a payout can fail days later, and its money comes back by `failure_balance_transaction`.
"""

from __future__ import annotations

from typing import Any

from payments.sandbox import currencies
from payments.sandbox.call import Call
from payments.sandbox.errors import balance_insufficient, invalid, missing_parameter, no_such
from payments.sandbox.events import emit
from payments.sandbox.lists import listing
from payments.sandbox.resources import accounts, banks
from payments.sandbox.resources.edits import retrieving, updating
from payments.sandbox.store import Record, fresh
from payments.sandbox.world import STRIPE, Origin, World

KIND = "payout"
DAY = 24 * 3600
NOTHING_YET = (
    "application_fee", "application_fee_amount", "failure_balance_transaction", "failure_code", "failure_message",
    "original_payout", "payout_method", "reversed_by", "trace_id",
)  # fmt: skip
ORDER = {"pending": 1, "in_transit": 2, "paid": 3, "failed": 4, "canceled": 4}
SENTENCES = {
    "account_closed": "The bank account has been closed.",
    "no_account": "The bank account details on file are incorrect.",
    "could_not_process": "The bank could not process this payout.",
    "debit_not_authorized": "Debit transactions are not approved on your bank account.",
    "insufficient_funds": "Your Stripe account has insufficient funds to cover the payout.",
    "invalid_currency": "The bank was unable to process this payout because of its currency.",
}
update = updating(KIND, event="payout.updated")
retrieve, listed = retrieving(KIND), listing(KIND, "status", "destination")
SHORT = (
    "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low. You can use "
    "the /v1/balance endpoint to view your Stripe balance (for more details, see stripe.com/docs/api#balance)."
)


def create(call: Call) -> Record:
    """POST /v1/payouts, of the account in `Stripe-Account`, else of the platform"""
    params = call.params
    amount, currency, destination = params.integer("amount"), currencies.currency(params), params.text("destination")
    fields: dict[str, Any] = {name: params.text(name) for name in ("description", "statement_descriptor")}
    fields["method"] = params.choice("method", ("standard", "instant")) or "standard"
    fields["source_type"] = params.choice("source_type", ("card", "bank_account", "fpx")) or "card"
    fields["metadata"] = params.metadata()
    if amount is None:
        raise missing_parameter("amount")
    currencies.check_payout(amount, currency)
    call.begin()
    account = call.store.get("account", call.account)
    if not account.data["payouts_enabled"]:
        raise invalid("Payouts are not enabled on this account: it has requirements that are due.",
                      code="payouts_not_allowed")  # fmt: skip
    bank = _bank(call, destination, currency)
    if call.world.balances.available(call.account, currency) < amount:
        raise balance_insufficient(SHORT)
    return make(call.world, call.account, amount, currency, bank, call.origin, **fields)


def cancel(call: Call) -> Record:
    """POST /v1/payouts/:id/cancel"""
    call.begin()
    record = call.subject(KIND)
    if record.data["status"] != "pending":
        raise invalid("Payouts can only be canceled while they are pending.")
    move(call.world, record, "canceled", origin=call.origin)
    return record


def make(world: World, account: str, amount: int, currency: str, bank: Record, origin: Origin, **fields: Any) -> Record:
    """Debit the balance and start a payout to this bank account."""
    now = world.clock.now()
    data = fresh(
        "po", KIND, now, **dict.fromkeys(NOTHING_YET), amount=amount, arrival_date=now + 2 * DAY, automatic=False,
        currency=currency, destination=bank.id, reconciliation_status="not_applicable", status="pending",
        type="bank_account",
    )  # fmt: skip
    taken = world.balances.post(account, -amount, currency, kind="payout", category="payout", source=data["id"])
    record = world.store.add(KIND, account, data | fields | {"balance_transaction": taken.id}, moved_at=now)
    emit(world, record, "payout.created", origin)
    return record


def move(world: World, record: Record, status: str, code: str = "could_not_process", origin: Origin = STRIPE) -> None:
    """Advance a payout. Raises ValueError for a step Stripe does not take; `paid` to `failed` it does."""
    former_status = record.data["status"]
    if ORDER[status] <= ORDER[former_status] or (status == "canceled" and former_status != "pending"):
        raise ValueError(f"{record.id} is {former_status} and cannot become {status}.")
    fields: dict[str, Any] = {"status": status}
    if status in ("failed", "canceled"):
        kind = "payout_failure" if status == "failed" else "payout_cancel"
        back = world.balances.post(record.account, record.data["amount"], record.data["currency"], kind=kind,
                                   category="payout_reversal", source=record.id)  # fmt: skip
        fields["failure_balance_transaction"] = back.id
    if status == "failed":
        fields |= {"failure_code": code, "failure_message": SENTENCES.get(code, "The payout failed.")}
    world.store.note(record, moved_at=world.clock.now())
    former = world.store.change(record, **fields)
    emit(world, record, "payout.updated" if status == "in_transit" else f"payout.{status}", origin, former=former)
    bank = world.store.find("bank_account", record.data["destination"])
    if status == "failed" and bank:  # disables it until it is replaced, docs.stripe.com/payouts#payout-failures
        banks.set_status(world, bank, "errored")


def pay_out_automatically(world: World) -> list[Record]:
    """What accounts without a manual schedule do daily: pay out all that is available."""
    made = []
    for account in world.store.all("account"):
        if accounts.schedule(account)["interval"] == "manual" or not account.data["payouts_enabled"]:
            continue
        for currency in world.balances.currencies(account.id):
            bank = banks.default_for(world.store, account.id, currency)
            available = world.balances.available(account.id, currency)
            if bank and available > 0:
                extra: dict[str, Any] = {"automatic": True, "description": "STRIPE PAYOUT", "metadata": {},
                                         "method": "standard", "source_type": "card",
                                         "statement_descriptor": None}  # fmt: skip
                made.append(make(world, account.id, available, currency, bank, STRIPE, **extra))
    return made


def _bank(call: Call, destination: str | None, currency: str) -> Record:
    """The bank account: the one asked for, or the account's default for this currency."""
    if destination:
        found = call.store.find("bank_account", destination, call.account)
        if found is None:
            raise no_such("external account", destination, param="destination")
    else:
        found = banks.default_for(call.store, call.account, currency)
    if found is None or found.data["currency"] != currency:
        raise invalid(f"Sorry, you don't have any external accounts in that currency ({currency}).")
    if found.data["status"] == "errored":
        message = "The external account is unusable: a payout to it failed. Update its details first."
        raise invalid(message, "destination", "bank_account_unusable")
    return found
