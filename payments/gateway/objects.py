"""Stripe's objects as our facts (payments/facts.py). Only what was read from Stripe itself comes in here."""

from __future__ import annotations

from typing import Any

from payments.facts import (
    BankDispute,
    ChargeFee,
    Payment,
    PaymentState,
    PayoutState,
    RefundState,
    StripeDispute,
    StripePayout,
    StripeRefund,
    StripeReversal,
    StripeTransfer,
)
from payments.money import Money

type Found = dict[str, Any]

_PAYMENT = {
    "processing": PaymentState.PROCESSING,
    "succeeded": PaymentState.SUCCEEDED,
    "canceled": PaymentState.CANCELED,
}


def payment(found: Found) -> Payment:
    """A PaymentIntent. Any other status than the three is one in which the customer has to do something."""
    failure = found.get("last_payment_error") or {}
    declined = found["status"] == "requires_payment_method" and bool(failure)
    state = PaymentState.DECLINED if declined else _PAYMENT.get(found["status"], PaymentState.AWAITING)
    received = found.get("amount_received") or 0
    return Payment(
        id=found["id"],
        state=state,
        livemode=bool(found["livemode"]),
        milestone_id=str((found.get("metadata") or {}).get("milestone_id", "")),
        received=Money(received, found["currency"]) if received else None,
        charge=_id(found.get("latest_charge")),
        error=str(failure.get("message") or failure.get("code") or ""),
    )


def charge_fee(found: Any) -> ChargeFee | None:
    """What Stripe kept of a charge that came with its balance transaction; None while Stripe has not said."""
    booked = found.get("balance_transaction") if isinstance(found, dict) else None
    if not isinstance(booked, dict):
        return None
    return ChargeFee(
        charge=found["id"], balance_transaction=booked["id"], fee=Money(booked["fee"], booked["currency"])
    )  # fmt: skip


def transfer(found: Found) -> StripeTransfer:
    """A transfer."""
    return StripeTransfer(
        id=found["id"],
        amount=_amount(found),
        destination=_id(found.get("destination")),
        balance_transaction=_id(found.get("balance_transaction")),
    )


def reversal(found: Found) -> StripeReversal:
    """A reversal of a transfer."""
    return StripeReversal(
        id=found["id"],
        amount=_amount(found),
        transfer=_id(found["transfer"]),
        balance_transaction=_id(found.get("balance_transaction")),
    )


def payout(found: Found) -> StripePayout:
    """A payout. Raises ValueError for a status that is none we know."""
    return StripePayout(
        id=found["id"],
        state=PayoutState(found["status"]),
        amount=_amount(found),
        balance_transaction=_id(found.get("balance_transaction")),
        failure_balance_transaction=_id(found.get("failure_balance_transaction")),
        failure=str(found.get("failure_message") or found.get("failure_code") or ""),
        failure_code=str(found.get("failure_code") or ""),
    )


def refund(found: Found) -> StripeRefund:
    """A refund. Raises ValueError for a status that is none we know."""
    return StripeRefund(
        id=found["id"],
        state=RefundState(found["status"]),
        amount=_amount(found),
        balance_transaction=_id(found.get("balance_transaction")),
        failure_balance_transaction=_id(found.get("failure_balance_transaction")),
        failure=str(found.get("failure_reason") or ""),
    )


def dispute(found: Found) -> StripeDispute:
    """A dispute. Its balance transactions: none for an inquiry, one when money was taken, two when it came back."""
    moves = found.get("balance_transactions") or []
    taken = next((move for move in moves if move["amount"] < 0), None)
    back = next((move for move in moves if move["amount"] > 0), None)
    status = found["status"]
    state = BankDispute.LOST if status == "lost" else BankDispute.OPEN
    if status in ("won", "warning_closed", "prevented"):
        state = BankDispute.WON
    return StripeDispute(
        id=found["id"],
        charge=_id(found["charge"]),
        state=state,
        reason=str(found.get("reason") or ""),
        amount=_amount(found),
        fee=Money(taken["fee"] if taken else 0, found["currency"]),
        withdrawn=taken["id"] if taken else "",
        reinstated=back["id"] if back else "",
    )


def _amount(found: Found) -> Money:
    return Money(found["amount"], found["currency"])


def _id(found: Any) -> str:
    """The id of an object that may have come whole, or not at all."""
    return str(found["id"]) if isinstance(found, dict) else str(found or "")
