"""Reading the books. All amounts are minor units, as the account's side counts them: more is more."""

from __future__ import annotations

from jobs.database import rows
from payments.models.ledger import AccountKind

READ = """
SELECT a.kind,
       CASE WHEN a.cached THEN a.debits_posted ELSE (SELECT coalesce(sum(amount), 0) FROM ledger_transfer t
            WHERE t.debit_id = a.id AND t.phase IN ('single', 'post')) END,
       CASE WHEN a.cached THEN a.credits_posted ELSE (SELECT coalesce(sum(amount), 0) FROM ledger_transfer t
            WHERE t.credit_id = a.id AND t.phase IN ('single', 'post')) END,
       a.debits_pending, a.credits_pending
FROM ledger_account a WHERE a.code = %s
"""
DEBIT_SIDE = (AccountKind.ASSET, AccountKind.EXPENSE)


def balance(code: str) -> int:
    """What has been posted, holds not counted; 0 for an account that nothing has touched.

    Assets and expenses count debits less credits, liabilities and revenue the other way round; may be negative.
    """
    for kind, debited, credited, *_ in rows(READ, [code]):
        return int(debited - credited if kind in DEBIT_SIDE else credited - debited)
    return 0


def available(code: str) -> int:
    """What may still go out: the balance less what is held. For accounts with a kept balance (escrow, payable)."""
    return balance(code) - held(code)


def held(code: str) -> int:
    """What is held and not yet gone, of an account with a kept balance."""
    for kind, _, _, debited, credited in rows(READ, [code]):
        return int(credited if kind in DEBIT_SIDE else debited)
    return 0
