"""The books. Every movement of money is written by a function of this package, in the caller's transaction."""

from payments.ledger.balances import available, balance, held
from payments.ledger.events import (
    deposit_confirmed,
    hold_refund,
    hold_release,
    hold_reversal,
    hold_withdrawal,
    post_refund,
    post_release,
    post_reversal,
    post_withdrawal,
    return_refund,
    return_withdrawal,
    stripe_fee,
    void_hold,
)
from payments.ledger.outside import dispute_lost, dispute_withdrawn, dispute_won, unexplained
from payments.ledger.posting import InsufficientFunds, LedgerConflict, Leg, post

__all__ = [
    "InsufficientFunds",
    "LedgerConflict",
    "Leg",
    "available",
    "balance",
    "deposit_confirmed",
    "dispute_lost",
    "dispute_withdrawn",
    "dispute_won",
    "held",
    "hold_refund",
    "hold_release",
    "hold_reversal",
    "hold_withdrawal",
    "post",
    "post_refund",
    "post_release",
    "post_reversal",
    "post_withdrawal",
    "return_refund",
    "return_withdrawal",
    "stripe_fee",
    "unexplained",
    "void_hold",
]
