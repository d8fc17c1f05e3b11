"""Charges: the money that came in. They are made by confirming a PaymentIntent.

With asynchronous capture, the default of new API versions, `balance_transaction` is null when the charge
succeeds and comes with `charge.updated` (docs.stripe.com/payments/payment-intents/asynchronous-capture).
"""

from __future__ import annotations

from typing import Any

from payments.sandbox.cards import SENTENCES, Behaviour
from payments.sandbox.events import emit
from payments.sandbox.lists import listing
from payments.sandbox.resources.edits import retrieving, updating
from payments.sandbox.settings import Settings
from payments.sandbox.store import Record, fresh
from payments.sandbox.world import Origin, World

KIND = "charge"
FROM_INTENT = ("amount", "currency", "customer", "description", "metadata", "receipt_email", "transfer_group")
NOTHING_YET = (
    "application", "application_fee", "application_fee_amount", "balance_transaction", "failure_balance_transaction",
    "failure_code", "failure_message", "on_behalf_of", "receipt_number", "receipt_url", "review", "shipping", "source",
    "source_transfer", "statement_descriptor", "statement_descriptor_suffix", "transfer_data",
)  # fmt: skip
retrieve = retrieving(KIND)
listed = listing(KIND, "customer", "payment_intent", "transfer_group")
update = updating(KIND, "description", "receipt_email", event="charge.updated")


def make(world: World, intent: Record, method: Record, status: str, origin: Origin) -> Record:
    """The charge of a confirmed PaymentIntent: `pending` or `succeeded`, without its balance transaction yet."""
    data = _data(world, intent, method) | {"status": status, "paid": True, "captured": True}
    data["amount_captured"] = data["amount"]
    data["outcome"] = _outcome("approved_by_network", "authorized", "Payment complete.")
    record = world.store.add(KIND, intent.account, data, behaviour=method.hidden["behaviour"], transferred=0)
    emit(world, record, "charge.pending" if status == "pending" else "charge.succeeded", origin)
    return record


def make_declined(world: World, intent: Record, method: Record, origin: Origin) -> Record:
    """The charge of a declined attempt; no money moves."""
    behaviour = Behaviour.of(method.hidden["behaviour"])
    code = behaviour.decline or "card_declined"
    data = _data(world, intent, method) | {"status": "failed", "paid": False, "captured": False}
    data |= {"failure_code": code, "failure_message": SENTENCES[code]}
    data["outcome"] = _outcome("declined_by_network", "issuer_declined", "The bank declined the payment.")
    record = world.store.add(KIND, intent.account, data, behaviour=method.hidden["behaviour"], transferred=0)
    emit(world, record, "charge.failed", origin)
    return record


def capture(world: World, charge: Record, origin: Origin) -> None:
    """Move the money: the balance transaction with Stripe's fee, and `charge.updated`."""
    settings, behaviour = world.settings, Behaviour.of(charge.hidden["behaviour"])
    amount, currency = charge.data["amount"], charge.data["currency"]
    fields: dict[str, Any] = {}
    if currency in settings.conversion:
        currency, rate = settings.conversion[currency]
        amount = round(amount * rate)
        fields["exchange_rate"] = rate
    wait = 0 if behaviour.at_once else settings.settlement_seconds
    move = world.balances.post(
        charge.account, amount, currency, kind="payment" if behaviour.bank else "charge", category="charge",
        source=charge.id, fee=fee(settings, amount), available_on=world.clock.now() + wait, **fields,
    )  # fmt: skip
    former = world.store.change(charge, balance_transaction=move.id)
    emit(world, charge, "charge.updated", origin, former=former)


def fee(settings: Settings, amount: int) -> int:
    """Stripe's fee on a charge, in minor units, rounded half up; never more than the charge."""
    if settings.fee_basis_points == 0 and settings.fee_fixed == 0:
        return 0
    return min(amount, (amount * settings.fee_basis_points + 5000) // 10_000 + settings.fee_fixed)


def available_on(world: World, charge: Record) -> int:
    """When the charge's money is (or was) available; while it is not captured, when it will be."""
    move = world.store.any(charge.data["balance_transaction"] or "")
    return move.data["available_on"] if move else world.clock.now() + world.settings.settlement_seconds


def settled_in(world: World, charge: Record) -> str:
    """The currency of the charge's balance transaction."""
    move = world.store.any(charge.data["balance_transaction"] or "")
    if move:
        return str(move.data["currency"])
    return world.settings.conversion.get(charge.data["currency"], (charge.data["currency"], 1.0))[0]


def _data(world: World, intent: Record, method: Record) -> dict[str, Any]:
    known = {name: intent.data[name] for name in FROM_INTENT}
    kind = method.data["type"]
    return fresh(
        "py" if kind == "us_bank_account" else "ch", KIND, world.clock.now(), **known, **dict.fromkeys(NOTHING_YET),
        amount_captured=0, amount_refunded=0, billing_details=method.data["billing_details"], disputed=False,
        fraud_details={}, payment_intent=intent.id, payment_method=method.id,
        payment_method_details={"type": kind, kind: method.data[kind]}, refunded=False,
    )  # fmt: skip


def _outcome(network: str, kind: str, message: str) -> dict[str, Any]:
    return {"network_status": network, "reason": None, "risk_level": "normal", "seller_message": message, "type": kind}


def refundable(charge: Record) -> int:
    """Minor units that were not refunded yet."""
    return int(charge.data["amount_captured"] - charge.data["amount_refunded"])
