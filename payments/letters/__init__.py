"""The mails of money: who is told what, once, and never before the books say so.

A letter is written in the transaction that books what it tells of, so it exists exactly when that does, and once:
its key is made of the event, the row and the reader. It is a snapshot: amounts, names and dates are text by then.
What the books do never depends on a letter (payments/letters/posting.py).
"""

from payments.letters.disputes import dispute_closed, dispute_opened
from payments.letters.escrow import deposit_confirmed, milestone_delivered, refund_failed, refunded, released
from payments.letters.withdrawals import withdrawal_returned, withdrawal_sent

__all__ = [
    "deposit_confirmed",
    "dispute_closed",
    "dispute_opened",
    "milestone_delivered",
    "refund_failed",
    "refunded",
    "released",
    "withdrawal_returned",
    "withdrawal_sent",
]
