"""What became of a request."""

from __future__ import annotations

import uuid
from datetime import datetime

from payments.models import Operation
from payments.operations.guards import FROZEN, change, may_become, move, same_attempt
from payments.states import Dispatch, Status


def confirm(operation: Operation, *, stripe_id: str, status: Status, now: datetime) -> bool:
    """The object exists at Stripe, whoever found that out: response, event or reconciliation."""
    legal = may_become(operation, Dispatch.CONFIRMED)
    return change(
        legal, operation,
        dispatch=Dispatch.CONFIRMED, stripe_id=stripe_id, status=status, confirmed_at=now, error_code="", error="",
    )  # fmt: skip


def unknown(operation: Operation, *, error: str) -> bool:
    """Nobody knows whether the request had an effect; what it holds stays held."""
    return move(operation, Dispatch.UNKNOWN, error_code="", error=error)


def reject(operation: Operation, *, code: str, error: str) -> bool:
    """It was not done and never will be. The caller gives back what it holds, in the same transaction."""
    return move(operation, Dispatch.REJECTED, status=Status.REJECTED, error_code=code, error=error)


def park(operation: Operation, *, code: str, error: str) -> bool:
    """Provably not done, and not to be tried before something outside changes."""
    return move(operation, Dispatch.PARKED, error_code=code, error=error)


def unpark(operation: Operation) -> bool:
    """What it waited for has come; it may be sent, with the key it has. False while its milestone is disputed."""
    parked = same_attempt(operation).filter(dispatch=Dispatch.PARKED).exclude(FROZEN)
    return change(parked, operation, dispatch=Dispatch.READY, error_code="", error="")


def manual(operation: Operation, *, error: str) -> bool:
    """A person decides; what it holds stays held."""
    return move(operation, Dispatch.MANUAL, error=error)


def note_error(operation: Operation, *, code: str, error: str) -> bool:
    """Say what is odd about it without moving it."""
    return change(Operation.objects.filter(pk=operation.pk), operation, error_code=code, error=error)


def give_to_job(operation: Operation, job_id: uuid.UUID) -> bool:
    """Remember the job that drives it now."""
    return change(Operation.objects.filter(pk=operation.pk), operation, job_id=job_id)
