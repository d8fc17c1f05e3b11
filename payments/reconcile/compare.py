"""Movements at Stripe against rows of the books, one side at a time."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from payments.models import Finding
from payments.models.reconciliation import Bucket
from payments.money import Money
from payments.reconcile import book, moves
from payments.reconcile.book import Entry
from payments.reconcile.findings import Findings
from payments.reconcile.moves import Move
from payments.reconcile.settle import difference, settle
from payments.reconcile.sides import Side
from payments.reconcile.window import Window

UNSETTLED = timedelta(hours=1)
"""So long a row of the books may be older than its movement at Stripe (a charge is booked before it is settled)."""
BATCH = 100


@dataclass
class Seen:
    """What one look at a side came upon. `newest` is Stripe's time of the newest movement, in seconds."""

    newest: int
    matched: int = 0
    entries: set[uuid.UUID] = field(default_factory=set)


def sweep(side: Side, findings: Findings, *, since: int, now: datetime) -> Seen:
    """Match every movement since then (in Stripe's seconds); settle what does not match. Raises GatewayError.

    Oldest first, because a refund cannot be booked before the reversal that it followed.
    """
    seen, loose = Seen(newest=since), []
    for batch in itertools.batched(moves.moves(side, since=since), BATCH):
        seen.newest = max(seen.newest, *(one.created for one in batch))
        loose += _unmatched(side, batch, seen)
    for one in reversed(loose):
        settle(one, findings, now=now)
        seen.entries |= {entry.id for entry in book.about(one)}
    return seen


def check_rows(side: Side, seen: Seen, window: Window, findings: Findings) -> None:
    """Look at Stripe for each row of the window that no movement was listed for. Raises GatewayError."""
    for entry in book.between(side, window.since, window.until - UNSETTLED):
        if entry.id not in seen.entries:
            check_row(side, entry, findings)


def check_row(side: Side, entry: Entry, findings: Findings) -> bool:
    """Whether Stripe moved what this row says, perhaps at another time."""
    moved = moves.read(side, entry.stripe_ref)
    if moved is None:
        findings.open(
            Bucket.BOOK_ONLY, f"row {entry.id}", _booked_only(side, entry), account=side.account,
            stripe_id=entry.stripe_ref, operation_id=entry.operation_id, ledger_ref=entry.id,
            amount=entry.amount, currency=entry.currency,
        )  # fmt: skip
        return False
    wrong = difference(moved, book.about(moved))
    if wrong:
        findings.open(
            Bucket.AMOUNT_DIFFERS, moved.id, wrong, account=side.account, stripe_id=moved.id,
            operation_id=entry.operation_id, ledger_ref=entry.id, amount=moved.net, currency=moved.currency,
        )  # fmt: skip
    return not wrong


def look_again(side: Side, finding: Finding, findings: Findings) -> None:
    """Close a finding of before that is so no more: it need not lie in the window. Raises GatewayError."""
    if finding.bucket == Bucket.BOOK_ONLY and finding.ledger_ref:
        entry = book.one(side, finding.ledger_ref)
        right = entry is not None and check_row(side, entry, findings)
    else:
        moved = moves.read(side, finding.stripe_id)
        right = moved is not None and not difference(moved, book.about(moved))
    if right:
        findings.close(finding)


def _unmatched(side: Side, batch: Sequence[Move], seen: Seen) -> list[Move]:
    booked, loose = book.about_each(side, batch), []
    for one in batch:
        if difference(one, booked[one.id]):
            loose.append(one)
            continue
        seen.matched += 1
        seen.entries |= {entry.id for entry in booked[one.id]}
    return loose


def _booked_only(side: Side, entry: Entry) -> str:
    amount = Money(abs(entry.amount), entry.currency)
    return (
        f"The books say that {amount} went {'into' if entry.amount > 0 else 'out of'} the balance of {side.name} "
        f"({entry.kind}, {entry.stripe_ref or 'without a name of Stripe’s'}); Stripe has moved nothing by that name."
    )
