"""The books against Stripe: every movement of its balances has its rows here, and every row moved something there.

run.py       one reconciliation, from its window to its findings
window.py    from when on
sides.py     whose balance: the platform's, a connected account's
moves.py     a balance transaction: what moved, and which rows of the books may be about it
book.py      those rows
compare.py   matched, or not; rows that nothing moved for
settle.py    what did not match: told to its operation, else booked into suspense
totals.py    Stripe's balances and the books'
late.py      what takes longer than it should
missed.py    events that never came
findings.py  what was found, kept until it is so no more or a person explains it
"""

from payments.reconcile.findings import NoSuchFinding, explain, open_findings
from payments.reconcile.run import run

__all__ = ["NoSuchFinding", "explain", "open_findings", "run"]
