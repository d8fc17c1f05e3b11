"""Disputes: the payer's bank takes the money back (docs.stripe.com/disputes/how-disputes-work).

An inquiry (`warning_…`) moves nothing. A dispute debits the platform by the amount and a fee when it is opened,
and credits the amount when it is won.
"""

from __future__ import annotations

from payments.sandbox.call import Call
from payments.sandbox.errors import invalid
from payments.sandbox.events import emit
from payments.sandbox.lists import listing
from payments.sandbox.resources.edits import merged, retrieving
from payments.sandbox.store import Record, fresh
from payments.sandbox.world import STRIPE, Origin, World

KIND = "dispute"
CLOSED = ("won", "lost", "warning_closed", "prevented")
RESPONSE_SECONDS = 7 * 24 * 3600
retrieve, listed = retrieving(KIND), listing(KIND, "charge", "payment_intent")


def update(call: Call) -> Record:
    """POST /v1/disputes/:id: evidence, and its submission"""
    record = call.subject(KIND)
    evidence = call.params.raw("evidence") or {}
    submit, metadata = call.params.flag("submit"), call.params.metadata()
    call.begin()
    if not isinstance(evidence, dict):
        raise invalid("Invalid object", "evidence")
    if submit and record.data["status"] in CLOSED:
        raise invalid("This dispute is already closed")
    fields = {"metadata": merged(record.data["metadata"], metadata), "evidence": record.data["evidence"] | evidence}
    if submit:
        fields["status"] = "warning_under_review" if _inquiry(record) else "under_review"
    former = call.store.change(record, **fields)
    call.emit(record, "charge.dispute.updated", former)
    return record


def close(call: Call) -> Record:
    """POST /v1/disputes/:id/close: accept it as lost"""
    call.begin()
    record = call.subject(KIND)
    if record.data["status"] in CLOSED:
        raise invalid("This dispute is already closed")
    end(call.world, record, won=False, origin=call.origin)
    return record


def open_on(world: World, charge: Record, *, amount: int | None = None, inquiry: bool = False,
            withdraw: bool = True) -> Record:  # fmt: skip
    """The payer disputes a charge, or part of it. Raises ValueError when it cannot be."""
    if charge.data["disputed"] or charge.data["status"] != "succeeded" or charge.hidden.get("derived"):
        raise ValueError(f"{charge.id} is disputed already, or is no payment by a customer that succeeded.")
    data = fresh(
        "dp", KIND, world.clock.now(), amount=amount or charge.data["amount"], currency=charge.data["currency"],
        charge=charge.id, payment_intent=charge.data["payment_intent"], reason="fraudulent", evidence={}, metadata={},
        evidence_details={"due_by": world.clock.now() + RESPONSE_SECONDS, "has_evidence": False, "past_due": False,
                          "submission_count": 0},
        is_charge_refundable=inquiry, status="warning_needs_response" if inquiry else "needs_response",
        enhanced_eligibility_types=[],
    )  # fmt: skip
    record = world.store.add(KIND, charge.account, data, moves=[])
    world.store.change(charge, disputed=True)
    emit(world, record, "charge.dispute.created")
    if withdraw and not inquiry:
        withdraw_funds(world, record)
    return record


def withdraw_funds(world: World, record: Record) -> None:
    """Debit the platform: the amount, and Stripe's dispute fee. Raises ValueError when that was done."""
    if record.hidden["moves"]:
        raise ValueError(f"The funds of {record.id} were withdrawn already.")
    if _inquiry(record):
        world.store.change(record, status="needs_response", is_charge_refundable=False)
    _move(world, record, -record.data["amount"], "dispute", fee=world.settings.dispute_fee)
    emit(world, record, "charge.dispute.funds_withdrawn")


def end(world: World, record: Record, *, won: bool, origin: Origin = STRIPE) -> None:
    """The bank decided. Winning credits what was withdrawn, not the fee. Raises ValueError when it is closed."""
    if record.data["status"] in CLOSED:
        raise ValueError(f"{record.id} is closed already.")
    status = "warning_closed" if _inquiry(record) else "won" if won else "lost"
    former = world.store.change(record, status=status)
    if won and record.hidden["moves"]:
        _move(world, record, record.data["amount"], "dispute_reversal")
        emit(world, record, "charge.dispute.funds_reinstated", origin)
    emit(world, record, "charge.dispute.closed", origin, former=former)


def blocks_refund(world: World, charge: Record) -> bool:
    """Whether an open or lost dispute stands in the way of a refund."""
    return bool(charge.data["disputed"]) and any(
        one.data["charge"] == charge.id and not one.data["is_charge_refundable"]
        and one.data["status"] not in ("won", "warning_closed")
        for one in world.store.all(KIND, charge.account)
    )  # fmt: skip


def _move(world: World, record: Record, amount: int, category: str, fee: int = 0) -> None:
    about = f"Chargeback {category} for {record.data['charge']}"
    move = world.balances.post(record.account, amount, record.data["currency"], kind="adjustment", category=category,
                               source=record.id, fee=fee, description=about)  # fmt: skip
    world.store.note(record, moves=[*record.hidden["moves"], move.id])


def _inquiry(record: Record) -> bool:
    return str(record.data["status"]).startswith("warning")
