"""What becomes of the money when Stripe said something, whoever heard it: a response, an event or a look-up.

Each function is told an object as Stripe describes it now, and makes operation, ledger and milestone agree
with it in one transaction. Told again, late, or in another order, it changes nothing. Each returns whether it was news.
"""

from payments.outcomes.contradictions import Contradiction, TooEarly
from payments.outcomes.deposit import deposit_seen, fee_seen
from payments.outcomes.dispute import dispute_seen
from payments.outcomes.refund import refund_seen
from payments.outcomes.rejected import rejected
from payments.outcomes.release import release_seen
from payments.outcomes.reversal import reversal_seen
from payments.outcomes.withdrawal import withdrawal_seen

__all__ = [
    "Contradiction",
    "TooEarly",
    "deposit_seen",
    "dispute_seen",
    "fee_seen",
    "refund_seen",
    "rejected",
    "release_seen",
    "reversal_seen",
    "withdrawal_seen",
]
