"""Writing moves: several legs of one event at once, and the same event twice without doing anything twice."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from django.db import IntegrityError

from jobs import current_job
from jobs.context import inside_a_job
from jobs.database import rows
from payments.ledger.accounts import Found, Place, lock
from payments.models.ledger import Phase
from payments.money import Money
from payments.transactions import transaction_of_ours


class LedgerConflict(Exception):
    """This leg was written before, and differently: the same event is told in two ways. Nothing was written."""


class InsufficientFunds(Exception):
    """An account has less than is to leave it; nothing was written. Amounts are minor units."""

    def __init__(self, *, code: str, asked: Money, free: Money) -> None:
        super().__init__(f"{asked} was asked of {code}, of which {free} is free.")
        self.code = code
        self.asked = asked
        self.free = free


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One move. `name` is unique within its event; a post or void names the hold it `resolves`."""

    name: str
    debit: Place
    credit: Place
    money: Money
    kind: str
    phase: Phase = Phase.SINGLE
    resolves: str = ""
    stripe_ref: str = ""


INSERT = """
INSERT INTO ledger_transfer (id, txn_id, debit_id, credit_id, amount, currency, phase, pending_id, kind,
                             operation_id, job_id, stripe_ref)
SELECT l.id, %(txn)s, l.debit, l.credit, l.amount, l.currency, l.phase, l.pending, l.kind, %(operation)s, %(job)s, l.ref
FROM unnest(%(ids)s::uuid[], %(debits)s::bigint[], %(credits)s::bigint[], %(amounts)s::bigint[], %(currencies)s::text[],
            %(phases)s::text[], %(pendings)s::uuid[], %(kinds)s::text[], %(refs)s::text[])
     AS l (id, debit, credit, amount, currency, phase, pending, kind, ref)
ON CONFLICT (id) DO NOTHING RETURNING id
"""
# What job wrote a row, and which of Stripe's ids it learned, may differ from one telling to the next.
WRITTEN = """
SELECT id, debit_id, credit_id, amount, currency, phase, pending_id, kind FROM ledger_transfer WHERE id = ANY(%(ids)s)
"""


def leg_id(key: uuid.UUID, name: str) -> uuid.UUID:
    """The id that the leg `name` of the event `key` has, whoever writes it."""
    return uuid.uuid5(key, name)


def event_key(name: str) -> uuid.UUID:
    """The key of an event that has no operation, such as `dispute:dp_…`."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"contralock:{name}")


def post(
    key: uuid.UUID,
    legs: Sequence[Leg],
    *,
    event: str,
    operation_id: uuid.UUID | None = None,
) -> bool:
    """Write the legs of one event of `key` (an operation's id, or event_key); False when they were there already.

    All or nothing, in one of its own transactions, which is repeated after a deadlock, or in the caller's, which
    whatever is raised ends. Legs without money are left out. Raises InsufficientFunds, LedgerConflict.
    """
    told = [leg for leg in legs if leg.money]
    if not told:
        raise ValueError(f"Nothing to write for {event} of {key}: every leg is empty.")
    txn = uuid.uuid5(key, f"txn:{event}")
    return transaction_of_ours(lambda: _post(key, told, txn, operation_id), savepoint=False)


def _post(key: uuid.UUID, legs: list[Leg], txn: uuid.UUID, operation_id: uuid.UUID | None) -> bool:
    accounts = lock(place for leg in legs for place in (leg.debit, leg.credit))
    moves = [_row(key, leg, accounts) for leg in legs]
    columns = dict(
        zip(
            ("ids", "debits", "credits", "amounts", "currencies", "phases", "pendings", "kinds"),
            map(list, zip(*moves, strict=True)),
            strict=True,
        )
    )
    job = current_job().id if inside_a_job() else None
    fixed = {"txn": txn, "operation": operation_id, "job": job, "refs": [leg.stripe_ref for leg in legs]}
    try:
        new = rows(INSERT, columns | fixed)
    except IntegrityError as error:
        raise _explain(error, legs, accounts) from error
    if len(new) == len(moves):
        return True
    _compare(moves, columns["ids"], new=len(new))
    return False


type _Row = tuple[uuid.UUID, int, int, int, str, str, uuid.UUID | None, str]


def _row(key: uuid.UUID, leg: Leg, accounts: dict[str, Found]) -> _Row:
    """As WRITTEN reads it back."""
    pending = leg_id(key, leg.resolves) if leg.resolves else None
    return (
        leg_id(key, leg.name), accounts[leg.debit.code].id, accounts[leg.credit.code].id, leg.money.minor,
        leg.money.currency, leg.phase.value, pending, leg.kind,
    )  # fmt: skip


def _compare(moves: list[_Row], ids: list[uuid.UUID], *, new: int) -> None:
    """Raise LedgerConflict unless every leg was there already, exactly as it is told now."""
    written = {row[0]: row for row in rows(WRITTEN, {"ids": ids})}
    for move in moves:
        if written[move[0]] != move:
            raise LedgerConflict(f"Transfer {move[0]} was written as {written[move[0]][1:]}, now told as {move[1:]}.")
    if new:
        raise LedgerConflict(f"{len(moves) - new} of {len(moves)} legs were written before, the others were not.")


def _explain(error: IntegrityError, legs: list[Leg], accounts: dict[str, Found]) -> Exception:
    """The broken rule in words; a floor's with what was free under the lock. Anything unforeseen stays what it is."""
    cause = error.__cause__
    rule = cause.diag.constraint_name if isinstance(cause, psycopg.Error) else ""
    if rule == "one_resolution":
        return LedgerConflict(f"A hold is posted or voided once; {legs[0].resolves} was resolved in the other way.")
    if rule != "no_overdraft":
        return error
    leaving = [leg for leg in legs if leg.phase in (Phase.SINGLE, Phase.PENDING)]
    for place in {leg.debit for leg in leaving}:
        asked = Money(sum(leg.money.minor for leg in leaving if leg.debit == place), place.currency)
        free = accounts[place.code].free
        if free is not None and asked.minor > free:
            return InsufficientFunds(code=place.code, asked=asked, free=Money(max(free, 0), place.currency))
    return error
