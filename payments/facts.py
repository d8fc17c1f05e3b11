"""What Stripe says about its objects, reduced to what moves money here.

The gateway makes these from objects that it read itself, never from an event's payload. Amounts are minor
units; a balance transaction (`txn_…`) is empty while Stripe's balance has not moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from payments.money import Money


class PaymentState(StrEnum):
    """A PaymentIntent's status, as far as it matters."""

    AWAITING = "awaiting"  # requires_payment_method (nothing failed yet), requires_action, requires_confirmation
    PROCESSING = "processing"
    DECLINED = "declined"  # requires_payment_method with a last_payment_error
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A PaymentIntent. `milestone_id` is its metadata's, as text; `charge` and `received` are of a success."""

    id: str
    state: PaymentState
    livemode: bool
    milestone_id: str
    received: Money | None = None
    charge: str = ""
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class ChargeFee:
    """What Stripe kept of a charge; known when its balance transaction is."""

    charge: str
    balance_transaction: str
    fee: Money


@dataclass(frozen=True, kw_only=True)
class StripeTransfer:
    """A transfer to a connected account. It has no status: that it exists is that it is done."""

    id: str
    amount: Money
    destination: str
    balance_transaction: str


@dataclass(frozen=True, kw_only=True)
class StripeReversal:
    """A reversal of a transfer. Done, once it exists."""

    id: str
    amount: Money
    transfer: str
    balance_transaction: str


class PayoutState(StrEnum):
    """A payout's status, in Stripe's words."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, kw_only=True)
class StripePayout:
    """A payout of a connected account to its bank. `paid` is not the end: it may still fail."""

    id: str
    state: PayoutState
    amount: Money
    balance_transaction: str = ""
    failure_balance_transaction: str = ""
    failure: str = ""
    """What Stripe says of it, in English."""
    failure_code: str = ""


class RefundState(StrEnum):
    """A refund's status, in Stripe's words."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, kw_only=True)
class StripeRefund:
    """A refund to the client's card. That it exists does not say that the money is back."""

    id: str
    state: RefundState
    amount: Money
    balance_transaction: str = ""
    failure_balance_transaction: str = ""
    failure: str = ""


class BankDispute(StrEnum):
    """A Stripe dispute's status, as far as it matters."""

    OPEN = "open"  # warning_*, needs_response, under_review
    WON = "won"  # also warning_closed
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class StripeDispute:
    """A chargeback, or an inquiry before one. `withdrawn`, `reinstated`: the balance transactions that moved money."""

    id: str
    charge: str
    state: BankDispute
    reason: str
    amount: Money
    fee: Money
    withdrawn: str = ""
    reinstated: str = ""
