"""The accounts there are, by code. One is made when money first touches it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jobs.database import rows
from payments.models.ledger import AccountKind, Floor


@dataclass(frozen=True, slots=True)
class Place:
    """An account as code names it."""

    code: str
    kind: AccountKind
    currency: str
    floor: Floor = Floor.NONE
    cached: bool = True


def platform(currency: str) -> Place:
    """What Stripe owes the platform. Every deposit touches it: no balance is kept, for four times the throughput."""
    return Place(f"stripe:platform:{currency}", AccountKind.ASSET, currency, cached=False)


def connected(stripe_account: str, currency: str) -> Place:
    """What lies at a freelancer's connected account."""
    return Place(f"stripe:connected:{stripe_account}:{currency}", AccountKind.ASSET, currency)


def escrow(milestone_id: int, currency: str) -> Place:
    """What is held for a milestone; never less than nothing, holds included."""
    return Place(f"escrow:milestone:{milestone_id}:{currency}", AccountKind.LIABILITY, currency, Floor.DEBITS)


def payable(freelancer_id: int, currency: str) -> Place:
    """What a freelancer may withdraw; never less than nothing, holds included."""
    return Place(f"payable:freelancer:{freelancer_id}:{currency}", AccountKind.LIABILITY, currency, Floor.DEBITS)


def fee_revenue(currency: str) -> Place:
    """What the platform earned."""
    return Place(f"revenue:fee:{currency}", AccountKind.REVENUE, currency, cached=False)


def stripe_fees(currency: str) -> Place:
    """What Stripe took for its work."""
    return Place(f"expense:stripe_fee:{currency}", AccountKind.EXPENSE, currency, cached=False)


def dispute_losses(currency: str) -> Place:
    """What banks took back after the money was gone."""
    return Place(f"expense:dispute:{currency}", AccountKind.EXPENSE, currency, cached=False)


def dispute_receivable(currency: str) -> Place:
    """What banks hold while a dispute is open."""
    return Place(f"receivable:dispute:{currency}", AccountKind.ASSET, currency, cached=False)


def suspense(currency: str, stripe_account: str = "") -> Place:
    """Money that nobody has explained yet, of the platform's or of a connected account."""
    of = f"{stripe_account}:" if stripe_account else ""
    return Place(f"suspense:{of}{currency}", AccountKind.ASSET, currency, cached=False)


@dataclass(frozen=True, slots=True)
class Found:
    """An account's row; `free` is what may still go out (minor units), None where nothing limits it."""

    id: int
    free: int | None


# Hot accounts are not locked (a foreign key's own lock is shared), the others in the order of their ids: two
# transactions that touch the same accounts wait for each other instead of blocking each other.
LOCK = """
WITH kept AS MATERIALIZED (
    SELECT id, code, kind, currency, floor, credits_posted - debits_posted - debits_pending AS free
    FROM ledger_account WHERE code = ANY(%(codes)s) AND cached ORDER BY id FOR NO KEY UPDATE
)
SELECT id, code, kind, currency, floor, true, free FROM kept
UNION ALL
SELECT id, code, kind, currency, floor, false, 0 FROM ledger_account WHERE code = ANY(%(codes)s) AND NOT cached
"""
OPEN = """
INSERT INTO ledger_account (code, kind, currency, floor, cached)
SELECT * FROM unnest(%(codes)s::text[], %(kinds)s::text[], %(currencies)s::text[], %(floors)s::text[],
                     %(cached)s::bool[])
ON CONFLICT (code) DO NOTHING
"""


class AccountMismatch(Exception):
    """An account of this code exists and is of another kind: two pieces of code disagree about what it is."""


def lock(places: Iterable[Place]) -> dict[str, Found]:
    """These accounts by code, locked until the transaction ends; missing ones are opened."""
    wanted = {place.code: place for place in places}
    codes = sorted(wanted)
    found = rows(LOCK, {"codes": codes})
    if len(found) < len(wanted):
        seen = {row[1] for row in found}
        _open([wanted[code] for code in codes if code not in seen])
        found = rows(LOCK, {"codes": codes})
    return {row[1]: _match(wanted[row[1]], row) for row in found}


def _open(places: list[Place]) -> None:
    rows(
        OPEN,
        {
            "codes": [place.code for place in places],
            "kinds": [place.kind.value for place in places],
            "currencies": [place.currency for place in places],
            "floors": [place.floor.value for place in places],
            "cached": [place.cached for place in places],
        },
    )


def _match(place: Place, row: tuple[Any, ...]) -> Found:
    if tuple(row[2:6]) != (place.kind, place.currency, place.floor, place.cached):
        raise AccountMismatch(f"Account {place.code} is {row[2:6]}, wanted {place}.")
    return Found(id=row[0], free=row[6] if place.floor is Floor.DEBITS else None)
