"""What became of the money."""

from __future__ import annotations

from datetime import datetime

from payments.models import Operation
from payments.operations.guards import change
from payments.states import STATUS_MOVES, Dispatch, Kind, Status, origins


def advance_status(operation: Operation, status: Status) -> bool:
    """The money got further. False for what it has reached already, or has left behind."""
    legal = origins(STATUS_MOVES[Kind(operation.kind)], status)
    return change(Operation.objects.filter(pk=operation.pk, status__in=legal), operation, status=status)


def book(operation: Operation, *, now: datetime) -> bool:
    """Its money moved in the ledger, in this transaction."""
    unbooked = Operation.objects.filter(pk=operation.pk, booked_at__isnull=True, dispatch=Dispatch.CONFIRMED)
    return change(unbooked, operation, booked_at=now)


def note_charge(operation: Operation, charge: str) -> bool:
    """Remember the charge of a deposit, once."""
    return change(Operation.objects.filter(pk=operation.pk, charge=""), operation, charge=charge)
