"""What Stripe says does not fit what we know. Nothing is written then; a person has to look."""

from __future__ import annotations

from payments.models import Operation
from payments.money import Money
from payments.states import Dispatch, Kind


class Contradiction(Exception):
    """Stripe and our books cannot both be right; the text says how they differ."""


class TooEarly(Exception):
    """This is about something that we have not heard of yet; tell it again when that has been told."""


def require_fit(operation: Operation, *, kind: Kind, stripe_id: str, amount: Money | None = None) -> None:
    """Raise Contradiction unless the object may be what this operation made. `amount` is what the object moved."""
    if operation.kind != kind:
        raise Contradiction(f"{stripe_id} is told as a {kind}, but {operation} is none.")
    if operation.dispatch == Dispatch.REJECTED:
        raise Contradiction(f"{operation} was given up and its hold given back, but {stripe_id} exists.")
    if operation.stripe_id not in (None, stripe_id):
        raise Contradiction(f"{operation} made {operation.stripe_id}, and now {stripe_id} is told as its object.")
    other = Operation.objects.filter(stripe_id=stripe_id).exclude(pk=operation.pk).first()
    if other:
        raise Contradiction(f"{stripe_id} was made by {other}, not by {operation}.")
    expected = Money(operation.amount - operation.fee, operation.currency)
    if amount is not None and amount != expected:
        raise Contradiction(f"{stripe_id} moved {amount}; {operation} asked for {expected}.")
