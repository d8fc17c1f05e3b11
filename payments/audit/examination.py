"""Looking at all invariants at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection, transaction

from jobs.database import rows
from payments.audit.invariants import INVARIANTS, TITLES
from payments.ledger import accounts, balance

MOST = 20
"""Breaches told of one invariant; the rest is counted."""


@dataclass(frozen=True, kw_only=True)
class Breach:
    """One thing that is wrong: which invariant, where (account, milestone, operation), and what."""

    invariant: int
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}. {TITLES[self.invariant]}: {self.where}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was looked at, and what is wrong with it."""

    breaches: list[Breach]
    looked_at: dict[str, int]
    skipped: list[int]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.breaches


def check(stripe_totals: Mapping[str, int] | None = None) -> Report:
    """Look at every invariant, all as of one moment, and report.

    `stripe_totals` is Stripe's platform balance, available and pending together, in minor units by currency;
    without it invariant 8 is skipped. Reads whole tables: minutes on millions of rows, and blocks nobody.
    """
    ours = not connection.in_atomic_block
    with transaction.atomic():
        if ours:
            rows("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        breaches = [breach for number, sql in INVARIANTS for breach in _look(number, sql)]
        breaches += _compare(stripe_totals) if stripe_totals is not None else []
        return Report(breaches=breaches, looked_at=_counts(), skipped=[] if stripe_totals is not None else [8])


def _look(number: int, sql: str) -> list[Breach]:
    found = _read(sql)
    told = [Breach(invariant=number, where=where, what=what) for where, what in found[:MOST]]
    if len(found) > MOST:
        told.append(Breach(invariant=number, where="…", what=f"and {len(found) - MOST} more"))
    return told


def _read(sql: str) -> list[tuple[str, str]]:
    """Its rows; the % of its format() are no parameters."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _compare(stripe_totals: Mapping[str, int]) -> list[Breach]:
    """Invariant 8, in every currency that either side knows."""
    booked = {
        code.rsplit(":", 1)[1] for (code,) in rows("SELECT code FROM ledger_account WHERE code ~ '^stripe:platform:'")
    }
    breaches = []
    for currency in sorted(booked | set(stripe_totals)):
        code = accounts.platform(currency).code
        ours, theirs = balance(code), stripe_totals.get(currency, 0)
        if ours != theirs:
            what = f"the book says {ours}, Stripe says {theirs}: {theirs - ours:+d}"
            breaches.append(Breach(invariant=8, where=code, what=what))
    return breaches


def _counts() -> dict[str, int]:
    [found] = rows(
        "SELECT (SELECT count(*) FROM ledger_account), (SELECT count(*) FROM ledger_transfer), "
        "(SELECT count(*) FROM payments_operation), (SELECT count(*) FROM payments_milestone)"
    )
    return dict(zip(("accounts", "transfers", "operations", "milestones"), found, strict=True))
