"""A movement at Stripe that the books do not have: its operation is told, else it goes into suspense."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from payments import disputes_at_stripe, doubts, ledger, operations, outcomes, seen
from payments.gateway import GatewayError
from payments.models import Operation
from payments.models.reconciliation import Bucket
from payments.money import InvalidMoney, Money
from payments.reconcile import book
from payments.reconcile.book import Entry
from payments.reconcile.findings import Findings
from payments.reconcile.moves import Move
from payments.states import Kind, Status

JUST_NOW = timedelta(minutes=2)
"""So long a movement may be under way to its operation: by the answer to its request, or by an event."""
TOO_LATE = timedelta(days=1)
"""What waits for something that did not come in this time (a payment that no database knows) waits in vain."""
UNBOOKABLE = (outcomes.Contradiction, ledger.LedgerConflict, ledger.InsufficientFunds, ValueError)
MADE = {
    Kind.DEPOSIT: "charge",
    Kind.RELEASE: "transfer",
    Kind.REVERSAL: "transfer_reversal",
    Kind.WITHDRAWAL: "payout",
    Kind.REFUND: "refund",
}
"""What Stripe calls the object that moves an operation's money."""


def difference(moved: Move, booked: Sequence[Entry]) -> str:
    """How the rows differ from the movement, in a sentence; empty when they do not."""
    amount, currencies = sum(entry.amount for entry in booked), {entry.currency for entry in booked}
    if amount == moved.net and currencies <= {moved.currency}:
        return ""
    if not booked:
        return f"{_said(moved)}; the books know nothing of it."
    rows = " and ".join(f"{entry.amount:+d} {entry.currency} ({entry.kind})" for entry in booked)
    return f"{_said(moved)}; the books say {rows}, in minor units."


def settle(moved: Move, findings: Findings, *, now: datetime) -> None:
    """Make the books know of it, and say how. Raises GatewayError.

    What only waits for something else is left to the next run: what is in suspense would be booked twice then.
    """
    operation, why, early = _owner(moved), "", False
    try:
        _tell(operation, moved, now)
    except outcomes.TooEarly as error:
        why, early = str(error), True
    except UNBOOKABLE as error:
        why = str(error)
    except GatewayError as error:
        if error.facts.status != 404:
            raise
        why = str(error)  # the operation that it names could not have made it
    booked = book.about(moved)
    wrong, about = difference(moved, booked), _columns(moved, operation)
    young = moved.created > (now - JUST_NOW).timestamp()
    waits = early and moved.created > (now - TOO_LATE).timestamp()
    if not wrong:
        words = f"{_said(moved)}, for {operation or 'a bank'}, which had not been told; it is booked now."
        findings.put_right(Bucket.ADOPTED, moved.id, words, told=not young, **about)
    elif waits or booked:
        if not young:
            findings.open(Bucket.AMOUNT_DIFFERS, moved.id, f"{wrong} {why}".strip(), **about)
    else:
        words = f"{_said(moved)}. {why or _unknown(operation, moved)} {_set_aside(moved)}"
        findings.open(Bucket.STRIPE_ONLY, moved.id, words, **about)


def _columns(moved: Move, operation: Operation | None) -> dict[str, Any]:
    """What a finding about it names."""
    return {
        "account": moved.side.account, "stripe_id": moved.id, "operation": operation,
        "amount": moved.net, "currency": moved.currency,
    }  # fmt: skip


def _owner(moved: Move) -> Operation | None:
    """The operation that made the object which moved it, or the deposit whose charge is disputed."""
    return operations.find(operation_id=moved.operation_id, stripe_id=moved.origin or moved.object_id)


def _tell(operation: Operation | None, moved: Move, now: datetime) -> None:
    if moved.kind == "dispute":
        disputes_at_stripe.look(moved.object_id, now=now)
    elif operation is not None and moved.kind == MADE[Kind(operation.kind)] and not moved.origin:
        found = seen.fetch(operation, moved.object_id)
        with transaction.atomic():
            seen.tell(operation, found, now=now)
            _keep_fee(operation, moved)
        doubts.end_job(operation)


def _keep_fee(operation: Operation, moved: Move) -> None:
    """Stripe keeps its fee also of a payment that was set aside because it was not what was asked for."""
    operation.refresh_from_db()
    unbooked = operation.booked_at is None and operation.status in (Status.MANUAL, Status.CANCELED)
    if unbooked and operation.kind == Kind.DEPOSIT and moved.fee > 0:
        ledger.stripe_fee(operation, Money(moved.fee, moved.currency), stripe_ref=moved.id)


def _set_aside(moved: Move) -> str:
    """Book it into suspense, once, and say where it is now."""
    try:
        money = Money(abs(moved.net), moved.currency)
    except InvalidMoney as error:
        return f"It is not booked: {error}"
    ledger.unexplained(moved.id, money, incoming=moved.net > 0, stripe_account=moved.side.account)
    return "It is in suspense until a person explains it."


def _unknown(operation: Operation | None, moved: Move) -> str:
    if operation is not None:
        return f"It names {operation}, which does not account for it."
    if moved.operation_id:
        return f"It names operation {moved.operation_id}, which is not in this database."
    return "No operation of ours asked for it."


def _said(moved: Move) -> str:
    """What Stripe says."""
    try:
        amount = str(Money(abs(moved.net), moved.currency))
    except InvalidMoney:
        amount = f"{abs(moved.net)} {moved.currency}"
    way = "out of" if moved.net < 0 else "into"
    return f"Stripe moved {amount} {way} the balance of {moved.side.name} by {moved.object_id or moved.id} ({moved.id})"
