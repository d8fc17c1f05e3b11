"""External accounts: the banks that payouts go to (docs.stripe.com/api/external_accounts)."""

from __future__ import annotations

from typing import Any

from payments.sandbox import ids
from payments.sandbox.call import Call
from payments.sandbox.errors import missing_parameter, no_such
from payments.sandbox.events import emit
from payments.sandbox.lists import Page, page
from payments.sandbox.resources.edits import edit
from payments.sandbox.store import Record, Store
from payments.sandbox.world import World

KIND = "bank_account"
GOOD = "000123456789"
# Bank accounts that make payouts fail (docs.stripe.com/connect/testing#payouts).
FAILING = {
    "000111111116": "no_account", "000111111113": "account_closed", "000222222227": "insufficient_funds",
    "000333333335": "debit_not_authorized", "000444444440": "invalid_currency",
}  # fmt: skip


def create(call: Call) -> Record:
    """POST /v1/accounts/:id/external_accounts: `external_account` as a group or as a token such as btok_us_verified"""
    sent, number, currency = call.params.raw("external_account"), GOOD, None
    default, metadata = call.params.flag("default_for_currency"), call.params.metadata()
    if sent is None:
        raise missing_parameter("external_account")
    if isinstance(sent, dict):
        group = call.params.section("external_account")
        number, currency = group.required("account_number"), group.text("currency")
        for name in ("object", "country", "routing_number", "account_holder_name", "account_holder_type"):
            group.text(name)
    call.begin()
    account = _account(call)
    bank = add(call.store, account, currency or account.data["default_currency"], number, default=default)
    call.store.change(bank, metadata=metadata)
    call.emit(bank, "account.external_account.created")
    return bank


def listed(call: Call) -> Page:
    """GET /v1/accounts/:id/external_accounts"""
    call.params.choice("object", (KIND, "card"))
    return page(call, KIND, records=list(call.store.newest_first(KIND, _account(call).id)))


def retrieve(call: Call) -> Record:
    """GET /v1/accounts/:id/external_accounts/:id"""
    call.begin()
    return _subject(call)


def update(call: Call) -> Record:
    """POST /v1/accounts/:id/external_accounts/:id"""
    bank, default = _subject(call), call.params.flag("default_for_currency")
    former = edit(call, bank, "account_holder_name")
    if default:
        make_default(call.store, bank)
    call.emit(bank, "account.external_account.updated", former)
    return bank


def delete(call: Call) -> dict[str, Any]:
    """DELETE /v1/accounts/:id/external_accounts/:id"""
    call.begin()
    bank = _subject(call)
    call.emit(bank, "account.external_account.deleted")
    call.store.remove(bank)
    return {"id": bank.id, "object": KIND, "deleted": True}


def add(store: Store, account: Record, currency: str, number: str, *, default: bool = False) -> Record:
    """A bank account; the first of a currency is its default."""
    first = default_for(store, account.id, currency) is None
    data = {
        "id": ids.new("ba"), "object": KIND, "account": account.id, "account_holder_name": None,
        "account_holder_type": None, "available_payout_methods": ["standard"], "bank_name": "STRIPE TEST BANK",
        "country": account.data["country"], "currency": currency, "default_for_currency": first, "last4": number[-4:],
        "metadata": {}, "routing_number": "110000000", "status": "new",
    }  # fmt: skip
    bank = store.add(KIND, account.id, data, fails=FAILING.get(number))
    if default and not first:
        make_default(store, bank)
    return bank


def make_default(store: Store, bank: Record) -> None:
    """Payouts of its currency go to this one from now on."""
    former = default_for(store, bank.account, bank.data["currency"])
    if former:
        store.change(former, default_for_currency=False)
    store.change(bank, default_for_currency=True)


def default_for(store: Store, account: str, currency: str) -> Record | None:
    """The bank account that payouts of a currency go to."""
    fits = (one for one in store.all(KIND, account) if one.data["currency"] == currency)
    return next((one for one in fits if one.data["default_for_currency"]), None)


def set_status(world: World, bank: Record, status: str) -> None:
    """`errored` after a failed payout: it takes no more until it is replaced or repaired, then it is `new` again
    (docs.stripe.com/payouts#payout-failures)."""
    former = world.store.change(bank, status=status)
    emit(world, bank, "account.external_account.updated", former=former)


def _account(call: Call) -> Record:
    from payments.sandbox.resources.accounts import subject  # accounts are made with a bank, so they look this way too

    return subject(call)


def _subject(call: Call) -> Record:
    found = call.store.find(KIND, call.path[1], _account(call).id)
    if found is None:
        raise no_such("external account", call.path[1], status=404)
    return found
