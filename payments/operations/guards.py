"""What the guarded updates have in common."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from payments.models import Operation
from payments.operations import steps
from payments.states import DISPATCH_MOVES, Dispatch, Kind, MilestoneStatus, Status, origins

MONEY_OUT = (Kind.RELEASE, Kind.REFUND, Kind.REVERSAL)
"""Kinds that move a milestone's money, and stand still while it is disputed."""

FROZEN = Q(kind__in=MONEY_OUT, milestone__status=MilestoneStatus.DISPUTED)
"""What is sent neither for the first time nor again."""

WAITING = (Dispatch.READY, Dispatch.PARKED, Dispatch.REJECTED)
"""Where a refund may be that waits for its reversal (and the constraint operation_reversing_waits)."""


def may_become(operation: Operation, target: Dispatch) -> QuerySet[Operation]:
    """The operation's row, if it is where it may move to `target` from.

    A refund that waits for its reversal was not asked for yet: it may only stand still, or be given up.
    """
    legal = Operation.objects.filter(pk=operation.pk, dispatch__in=origins(DISPATCH_MOVES, target))
    return legal if target in WAITING else legal.exclude(status=Status.REVERSING)


def same_attempt(operation: Operation) -> QuerySet[Operation]:
    """The operation's row, if no later attempt has begun."""
    return Operation.objects.filter(pk=operation.pk, attempt=operation.attempt)


def change(rows: QuerySet[Operation], operation: Operation, **changes: Any) -> bool:
    """Change the row and, if that won, the object in hand; the step is written down in the same transaction."""
    with transaction.atomic(savepoint=False):
        won: bool = rows.update(**changes) == 1
        if won:
            for name, value in changes.items():
                setattr(operation, name, value)
            steps.write(operation, changes)
    return won


def move(operation: Operation, target: Dispatch, **changes: Any) -> bool:
    """Move the request, as its present attempt reports."""
    return change(
        may_become(operation, target).filter(attempt=operation.attempt), operation, dispatch=target, **changes
    )
