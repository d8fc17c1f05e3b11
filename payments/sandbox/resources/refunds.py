"""Refunds: money back to the payer (docs.stripe.com/refunds).

A 200 is not "refunded": the status says, and it can become `failed` long after `succeeded`.
"""

from __future__ import annotations

from payments.sandbox import currencies
from payments.sandbox.call import Call
from payments.sandbox.cards import Behaviour
from payments.sandbox.errors import invalid
from payments.sandbox.events import emit
from payments.sandbox.lists import listing
from payments.sandbox.resources import charges, disputes
from payments.sandbox.resources.edits import retrieving, updating
from payments.sandbox.store import Record, fresh
from payments.sandbox.world import STRIPE, Origin, World

KIND = "refund"
REASONS = ("duplicate", "fraudulent", "requested_by_customer")
update = updating(KIND, event="refund.updated")
retrieve, listed = retrieving(KIND), listing(KIND, "charge", "payment_intent")


def create(call: Call) -> Record:
    """POST /v1/refunds"""
    params = call.params
    intent, charge, amount = params.text("payment_intent"), params.text("charge"), params.integer("amount")
    reason, metadata = params.choice("reason", REASONS), params.metadata()
    backwards = params.flag("reverse_transfer")
    if not intent and not charge:
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
    call.begin()
    if backwards:
        raise invalid("This charge has no associated transfer: reverse_transfer is for destination charges.",
                      "reverse_transfer")  # fmt: skip
    paid = _charge(call, intent, charge)
    amount = _amount(call.world, paid, amount)
    record = _add(call, paid, amount, reason, metadata)
    _begin(call.world, record, paid, call.origin)
    return record


def cancel(call: Call) -> Record:
    """POST /v1/refunds/:id/cancel: only while the payer has to act (docs.stripe.com/api/refunds/cancel)"""
    call.begin()
    record = call.subject(KIND)
    if record.data["status"] != "requires_action":
        raise invalid(f"You can only cancel a refund with a status of requires_action; it is {record.data['status']}.")
    _give_back(call.world, record, "canceled", call.origin)
    call.emit(record, "refund.updated")
    return record


def succeed(world: World, record: Record) -> None:
    """A pending refund went through. Raises ValueError for another status."""
    if record.data["status"] not in ("pending", "requires_action"):
        raise ValueError(f"{record.id} is {record.data['status']}; only a pending refund can succeed.")
    _debit(world, record, world.store.get("charge", record.data["charge"]))
    former = world.store.change(record, status="succeeded", pending_reason=None)
    emit(world, record, "refund.updated", former=former)


def fail(world: World, record: Record, reason: str = "expired_or_canceled_card") -> None:
    """The bank sent the money back, perhaps after the refund had succeeded. Raises ValueError when it is over."""
    if record.data["status"] in ("failed", "canceled"):
        raise ValueError(f"{record.id} is {record.data['status']} already.")
    _give_back(world, record, "failed", STRIPE, failure_reason=reason)
    emit(world, record, "refund.updated")
    emit(world, record, "refund.failed")


def retry_unfunded(world: World) -> list[Record]:
    """Pay the refunds that waited for balance, oldest first, as far as the balance reaches now."""
    done = []
    for record in world.store.all(KIND):
        charge = world.store.get("charge", record.data["charge"])
        if record.data["pending_reason"] == "insufficient_funds" and _covered(world, charge, record.data["amount"]):
            succeed(world, record)
            done.append(record)
    return done


def _charge(call: Call, intent: str | None, charge: str | None) -> Record:
    if intent:
        paid = call.named("payment_intent", intent, "payment_intent")
        charge = paid.data["latest_charge"]
        if paid.data["status"] != "succeeded" or charge is None:
            raise invalid(f"This PaymentIntent ({intent}) does not have a successful charge to refund.",
                          "payment_intent")  # fmt: skip
    found = call.named("charge", charge or "", "charge")
    if found.data["status"] != "succeeded" or found.hidden.get("derived"):
        raise invalid(f"{found.id} is no succeeded charge of this account, so it cannot be refunded.", "charge")
    return found


def _amount(world: World, charge: Record, amount: int | None) -> int:
    """The amount to refund, all that is left if none was asked for. Raises Refusal as Stripe does."""
    left = charges.refundable(charge)
    if left <= 0:
        raise invalid(f"Charge {charge.id} has already been refunded.", code="charge_already_refunded")
    if disputes.blocks_refund(world, charge):
        raise invalid(f"Charge {charge.id} has been charged back; cannot issue a refund.", code="charge_disputed")
    if amount is not None and amount > left:
        asked, rest = (currencies.words(one, charge.data["currency"]) for one in (amount, left))
        raise invalid(f"Refund amount ({asked}) is greater than unrefunded amount on charge ({rest})", "amount")
    return left if amount is None else amount


def _add(call: Call, charge: Record, amount: int, reason: str | None, metadata: dict[str, str]) -> Record:
    data = fresh(
        "re", KIND, call.now, amount=amount, balance_transaction=None, charge=charge.id,
        currency=charge.data["currency"],
        destination_details={"type": "card", "card": {"type": "refund", "reference_status": "pending"}},
        metadata=metadata, payment_intent=charge.data["payment_intent"], pending_reason=None, reason=reason,
        receipt_number=None, source_transfer_reversal=None, status="pending", transfer_reversal=None,
    )  # fmt: skip
    del data["livemode"]  # Stripe's refunds have none
    return call.store.add(KIND, call.account, data)


def _begin(world: World, record: Record, charge: Record, origin: Origin) -> None:
    """Take the balance if it reaches; the money then counts as refunded on the charge, also while it is pending."""
    outcome = Behaviour.of(charge.hidden["behaviour"]).refund
    if not _covered(world, charge, record.data["amount"]):
        world.store.change(record, status="pending", pending_reason="insufficient_funds")
    elif outcome == "pending":
        _debit(world, record, charge)
        world.store.change(record, status="pending", pending_reason="processing")
    else:
        _debit(world, record, charge)
        world.store.change(record, status="succeeded")
    refunded = charge.data["amount_refunded"] + record.data["amount"]
    former = world.store.change(charge, amount_refunded=refunded, refunded=refunded == charge.data["amount"])
    emit(world, record, "refund.created", origin)
    emit(world, charge, "charge.refunded", origin, former=former)


def _covered(world: World, charge: Record, amount: int) -> bool:
    """Refunds come out of the available balance, or out of the charge's own money while that is pending."""
    purse = (charge.account, charges.settled_in(world, charge))
    settled = charges.available_on(world, charge) <= world.clock.now()
    reach = world.balances.available(*purse) + (0 if settled else world.balances.pending(*purse))
    return reach >= amount


def _debit(world: World, record: Record, charge: Record) -> None:
    if record.data["balance_transaction"]:
        return
    amount, currency, rate = record.data["amount"], record.data["currency"], None
    if charges.settled_in(world, charge) != currency:
        currency, rate = world.settings.conversion[currency]
        amount = round(amount * rate)
    move = world.balances.post(
        record.account, -amount, currency, kind="refund", category="refund", source=record.id, exchange_rate=rate,
        available_on=charges.available_on(world, charge), description="REFUND FOR CHARGE",
    )  # fmt: skip
    world.store.change(record, balance_transaction=move.id)


def _give_back(world: World, record: Record, status: str, origin: Origin, **fields: str) -> None:
    """End it without a refund: what was taken comes back by `failure_balance_transaction`."""
    charge = world.store.get("charge", record.data["charge"])
    taken = world.store.any(record.data["balance_transaction"] or "")
    if taken:
        move = world.balances.post(
            record.account, -taken.data["amount"], taken.data["currency"], kind="refund_failure",
            category="refund_failure", source=record.id, description="REFUND FAILURE",
        )  # fmt: skip
        world.store.change(record, failure_balance_transaction=move.id)
    left = charge.data["amount_refunded"] - record.data["amount"]
    world.store.change(charge, amount_refunded=left, refunded=False)
    world.store.change(record, status=status, pending_reason=None, **fields)
    emit(world, charge, "charge.updated", origin)
