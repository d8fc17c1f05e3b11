"""The rows of the books that moved a balance at Stripe."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobs.database import rows
from payments.reconcile.moves import Move
from payments.reconcile.sides import Side


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row, as it moved the side's balance: `amount` is minor units, less than nothing when it went out.

    `object_id`: what its operation made at Stripe.
    """

    id: uuid.UUID
    stripe_ref: str
    kind: str
    amount: int
    currency: str
    operation_id: uuid.UUID | None
    object_id: str
    created_at: datetime


_ENTRY = """
SELECT t.id, t.stripe_ref, t.kind, CASE WHEN starts_with(d.code, %(codes)s) THEN t.amount ELSE -t.amount END,
       t.currency, t.operation_id, coalesce(o.stripe_id, ''), t.created_at
FROM found t JOIN ledger_account d ON d.id = t.debit_id JOIN ledger_account c ON c.id = t.credit_id
LEFT JOIN payments_operation o ON o.id = t.operation_id
WHERE t.phase IN ('single', 'post') AND (starts_with(d.code, %(codes)s) OR starts_with(c.code, %(codes)s))
"""
_ABOUT = f"""
WITH found AS (
    SELECT * FROM ledger_transfer WHERE stripe_ref <> '' AND stripe_ref = ANY(%(refs)s)
    UNION
    SELECT t.* FROM payments_operation o JOIN ledger_transfer t ON t.operation_id = o.id
    WHERE o.stripe_id = ANY(%(origins)s)
)
{_ENTRY} ORDER BY t.created_at, t.id
"""  # noqa: S608 - constants
# A row that also moved the platform's balance is compared there.
_BETWEEN = f"""
WITH found AS (SELECT * FROM ledger_transfer WHERE created_at >= %(since)s AND created_at < %(until)s)
{_ENTRY} AND (%(platform)s OR NOT (starts_with(d.code, 'stripe:platform:') OR starts_with(c.code, 'stripe:platform:')))
ORDER BY t.created_at, t.id
"""  # noqa: S608 - constants
_ONE = f"WITH found AS (SELECT * FROM ledger_transfer WHERE id = %(id)s) {_ENTRY}"  # noqa: S608 - constants


def about(moved: Move) -> list[Entry]:
    """The rows of a movement; none when it is not booked."""
    return about_each(moved.side, [moved])[moved.id]


def about_each(side: Side, moved: Sequence[Move]) -> dict[str, list[Entry]]:
    """The rows of each movement of a side, by its id."""
    refs = sorted({ref for one in moved for ref in one.refs})
    origins = sorted({one.origin for one in moved if one.origin})
    found = _entries(_ABOUT, codes=side.codes, refs=refs, origins=origins)
    return {one.id: [entry for entry in found if _is_about(entry, one)] for one in moved}


def between(side: Side, since: datetime, until: datetime) -> list[Entry]:
    """The rows written in this time, oldest first."""
    return _entries(_BETWEEN, codes=side.codes, since=since, until=until, platform=not side.account)


def one(side: Side, ledger_ref: uuid.UUID) -> Entry | None:
    """The row of this id."""
    return next(iter(_entries(_ONE, codes=side.codes, id=ledger_ref)), None)


def _is_about(entry: Entry, moved: Move) -> bool:
    return entry.stripe_ref in moved.refs or bool(moved.origin and entry.object_id == moved.origin)


def _entries(sql: str, **params: Any) -> list[Entry]:
    return [
        Entry(
            id=id_, stripe_ref=ref, kind=kind, amount=amount, currency=currency,
            operation_id=operation, object_id=object_id, created_at=created_at,
        )
        for id_, ref, kind, amount, currency, operation, object_id, created_at in rows(sql, params)
    ]  # fmt: skip
