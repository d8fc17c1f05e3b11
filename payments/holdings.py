"""What somebody has here: held for their milestones, and theirs to withdraw."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.database import rows
from payments import currencies
from payments.ledger import accounts
from payments.roles import Person


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One currency, in minor units."""

    currency: str
    held: int
    on_its_way: int
    withdrawable: int


# The accounts by their codes (ledger/accounts.py): an index finds each. Both kinds keep their balances.
_OF = """
SELECT currency, sum(held), sum(coming), sum(free) FROM (
    SELECT a.currency, a.credits_posted - a.debits_posted AS held, 0 AS coming, 0 AS free
    FROM payments_project p JOIN payments_milestone m ON m.project_id = p.id
    JOIN ledger_account a ON a.code = format('escrow:milestone:%%s:%%s', m.id, p.currency)
    WHERE p.client_id = %(person)s OR p.freelancer_id = %(person)s
    UNION ALL
    SELECT currency, 0, credits_pending, credits_posted - debits_posted - debits_pending
    FROM ledger_account WHERE code = ANY(%(payable)s)
) found GROUP BY currency ORDER BY currency
"""


def of(person: Person) -> list[Holding]:
    """By currency; none for somebody whom no money has touched."""
    payable = [accounts.payable(person.pk, currency).code for currency in currencies.KNOWN]
    found = rows(_OF, {"person": person.pk, "payable": payable})
    return [
        Holding(currency=currency, held=int(held), on_its_way=int(coming), withdrawable=int(free))
        for currency, held, coming, free in found
    ]
