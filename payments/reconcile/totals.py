"""Stripe's balances against the books' (invariant 8; the same for each connected account)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from payments import audit, gateway
from payments.gateway import Read
from payments.models.reconciliation import Bucket
from payments.reconcile.compare import Seen, sweep
from payments.reconcile.findings import Findings
from payments.reconcile.sides import Side

LOOKS = 3
"""Looks until a difference counts: what moves between the two readings makes one too."""


def totals(side: Side) -> dict[str, int]:
    """What Stripe says lies there, available and pending together, in minor units by currency. Raises GatewayError."""
    found: Counter[str] = Counter()
    balance = gateway.read(Read(what="balance", account=side.account))
    for part in (*balance["available"], *balance["pending"]):
        found[part["currency"]] += part["amount"]
    return dict(found)


def compare_balance(side: Side, seen: Seen, findings: Findings, *, now: datetime) -> None:
    """Tell of each currency in which they differ. Raises GatewayError."""
    for _ in range(LOOKS):
        theirs, ours = totals(side), side.booked()
        wrong = {one for one in theirs.keys() | ours.keys() if theirs.get(one, 0) != ours.get(one, 0)}
        if not wrong:
            return
        newer = sweep(side, findings, since=seen.newest, now=now)
        seen.newest = newer.newest
        seen.entries |= newer.entries
    for currency in sorted(wrong):
        stripe, book = theirs.get(currency, 0), ours.get(currency, 0)
        words = (
            f"Stripe says that {stripe} {currency} lie in the balance of {side.name}, the books say {book}, in minor "
            f"units: {stripe - book:+d}."
        )
        about = {"account": side.account, "amount": stripe - book, "currency": currency}
        findings.open(Bucket.BALANCE, f"{side.codes}{currency}", words, **about)


def check_invariants(findings: Findings) -> None:
    """The books by themselves; the eighth invariant is compare_balance's."""
    for breach in audit.check().breaches:
        findings.open(Bucket.INVARIANT, f"{breach.invariant} {breach.where}"[:255], str(breach))
