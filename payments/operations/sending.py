"""Whether and how a request goes out."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest

from payments.models import Operation
from payments.operations.guards import FROZEN, MONEY_OUT, change, may_become, same_attempt
from payments.operations.moves import park
from payments.states import Dispatch, Status

__all__ = ["MONEY_OUT", "is_frozen", "mark_sent", "new_attempt", "why_not_sent"]


def mark_sent(operation: Operation, *, now: datetime) -> bool:
    """The request is about to go out (for the first time, or again with the same key): commit this first.

    False when it must not: see why_not_sent. A repetition leaves `sent` and `unknown` what they are.
    """
    young = Q(first_sent_at__isnull=True) | Q(first_sent_at__gt=now - settings.STRIPE_KEY_LIFETIME)
    mine = same_attempt(operation).filter(young).exclude(status=Status.REVERSING).exclude(FROZEN)
    first = mine.filter(dispatch=Dispatch.READY, first_sent_at=operation.first_sent_at)
    began = operation.first_sent_at or now
    if change(first, operation, dispatch=Dispatch.SENT, first_sent_at=began, sent_at=max(began, now)):
        return True
    again = mine.filter(dispatch__in=[Dispatch.SENT, Dispatch.UNKNOWN])
    # Who comes second may have read the clock first: two senders take their time before they take turns.
    won = change(again, operation, sent_at=Greatest(F("first_sent_at"), Value(now)))
    if won:
        operation.refresh_from_db(fields=["sent_at"])
    return won


def why_not_sent(operation: Operation, *, now: datetime) -> str:
    """Why mark_sent says no, in a sentence; empty when nothing speaks against sending. Reads the row again."""
    row = Operation.objects.get(pk=operation.pk)
    if row.attempt != operation.attempt:
        return f"Attempt {row.attempt} of it is under way."
    if row.status == Status.REVERSING:
        return "It waits until the freelancer's part has come back."
    if row.dispatch not in (Dispatch.READY, Dispatch.SENT, Dispatch.UNKNOWN):
        return f"It is {row.dispatch}."
    if row.first_sent_at and row.first_sent_at <= now - settings.STRIPE_KEY_LIFETIME:
        return "Its key is so old that Stripe may have forgotten it, and would do it again."
    if is_frozen(row):
        return "Its milestone is disputed."
    return ""


def new_attempt(operation: Operation, *, code: str, error: str) -> bool:
    """The last attempt proved to have had no effect; the next one has a key of its own. The hold stays.

    While its milestone is disputed it is parked instead, as every unsent operation is.
    """
    again = may_become(operation, Dispatch.READY).filter(attempt=operation.attempt)
    won = change(
        again, operation,
        dispatch=Dispatch.READY, attempt=operation.attempt + 1, first_sent_at=None, sent_at=None,
        error_code=code, error=error,
    )  # fmt: skip
    if won:
        operation.refresh_from_db(fields=["idempotency_key"])  # the database makes it
    if won and is_frozen(operation):
        park(operation, code="milestone_disputed", error="Its milestone is disputed.")
    return won


def is_frozen(operation: Operation) -> bool:
    """Whether a dispute about its milestone keeps it from being sent."""
    return Operation.objects.filter(FROZEN, pk=operation.pk).exists()
