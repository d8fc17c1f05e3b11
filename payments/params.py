"""What Stripe is asked, in its words: the bytes of an operation, made once, when it is written down.

Metadata names the operation, so that an object is found again whoever made it known; no personal data is sent.
"""

from __future__ import annotations

import uuid
from typing import Any

from payments.models import Milestone, Operation, PayoutAccount
from payments.money import Money


def group(milestone_id: int) -> str:
    """The transfer group of a milestone: the exact look-up of its transfers."""
    return f"milestone_{milestone_id}"


def deposit(operation_id: uuid.UUID, milestone: Milestone, amount: Money) -> dict[str, Any]:
    """POST /v1/payment_intents."""
    return _amount(amount) | {
        "automatic_payment_methods": {"enabled": True},
        "transfer_group": group(milestone.pk),
        "metadata": _metadata(operation_id, milestone.pk),
    }


def release(
    operation_id: uuid.UUID, milestone: Milestone, *, net: Money, charge: str, to: PayoutAccount
) -> dict[str, Any]:
    """POST /v1/transfers. Drawn from the deposit's charge: Stripe itself then refuses to send more than was paid."""
    return _amount(net) | {
        "destination": to.stripe_account,
        "source_transaction": charge,
        "transfer_group": group(milestone.pk),
        "metadata": _metadata(operation_id, milestone.pk),
    }


def withdrawal(operation_id: uuid.UUID, amount: Money) -> dict[str, Any]:
    """POST /v1/payouts, on behalf of the connected account (the operation's stripe_account)."""
    return _amount(amount) | {"metadata": _metadata(operation_id)}


def refund(operation_id: uuid.UUID, milestone_id: int, *, amount: Money, deposit: Operation) -> dict[str, Any]:
    """POST /v1/refunds. The currency is the charge's; `fraudulent` as reason would block the payer's card."""
    return {
        "payment_intent": deposit.stripe_id,
        "amount": amount.minor,
        "reason": "requested_by_customer",
        "metadata": _metadata(operation_id, milestone_id),
    }


def reversal(operation_id: uuid.UUID, milestone_id: int, *, net: Money, release: Operation) -> dict[str, Any]:
    """POST /v1/transfers/{transfer}/reversals: see `path_and_body`."""
    return {
        "transfer": release.stripe_id,
        "amount": net.minor,
        "metadata": _metadata(operation_id, milestone_id),
    }


def path_and_body(operation: Operation) -> tuple[str, dict[str, Any]]:
    """The transfer that a reversal is of (empty for other kinds), which belongs into the path; and what is sent."""
    body = dict(operation.params)
    return body.pop("transfer", ""), body


def _amount(money: Money) -> dict[str, Any]:
    return {"amount": money.minor, "currency": money.currency}


def _metadata(operation_id: uuid.UUID, milestone_id: int | None = None) -> dict[str, str]:
    about = {} if milestone_id is None else {"milestone_id": str(milestone_id)}
    return {"operation_id": str(operation_id)} | about
