"""Numbers without gaps: given out under a row's lock, in the transaction that writes the invoice."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

TAKE = """
INSERT INTO invoices_series (issuer_id, name, year, last) VALUES (%(issuer)s, %(series)s, %(year)s, 1)
ON CONFLICT (issuer_id, name, year) DO UPDATE SET last = invoices_series.last + 1
RETURNING last
"""


@dataclass(frozen=True, kw_only=True)
class Number:
    """A place in an issuer's series of a year. In words: CL7-2026-00042."""

    series: str
    year: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.series}-{self.year}-{self.sequence:05d}"


def take(*, issuer_id: int | None, series: str, year: int) -> Number:
    """The next number of the series (`issuer_id` None: the platform's).

    The series is locked until the caller's transaction ends, and whoever comes next waits for that: a transaction
    that is rolled back gives its number back. Raises RuntimeError outside of a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A number is taken in the transaction of its invoice: with transaction.atomic(): …")
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"issuer": issuer_id, "series": series, "year": year})
        return Number(series=series, year=year, sequence=cursor.fetchone()[0])
