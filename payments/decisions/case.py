"""All that is known about an operation when somebody decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from jobs import State, selectors
from payments import operations
from payments.models import Operation
from payments.money import Money
from payments.services.set_aside import set_aside
from payments.states import Kind


@dataclass(frozen=True, kw_only=True)
class Case:
    """An operation at one moment, with whatever else decides what may be done with it."""

    operation: Operation
    now: datetime
    job_state: State | None = None
    """None: it has no job, or that left after its keeping."""
    looks: tuple[datetime, ...] = ()
    """When its present attempt was looked for at Stripe and was not there, since it was last sent; oldest first."""
    frozen: bool = False
    """A dispute about its milestone keeps it from being sent."""
    set_aside: Money | None = None
    """What lies in suspense of a deposit."""
    refund_under_way: bool = False
    """Somebody gives that back already."""
    key_lifetime: timedelta = timedelta(hours=23)
    """So old a key is never sent again."""

    @property
    def key_too_old(self) -> bool:
        """Whether Stripe may have forgotten the key of the present attempt."""
        began = self.operation.first_sent_at
        return began is not None and began <= self.now - self.key_lifetime


def read(operation: Operation, *, now: datetime) -> Case:
    """The case of an operation, as its row is in hand (locked, where something is going to be done)."""
    is_deposit = operation.kind == Kind.DEPOSIT
    return Case(
        operation=operation,
        now=now,
        job_state=_job_state(operation),
        looks=_looks(operation),
        frozen=operations.is_frozen(operation),
        set_aside=set_aside(operation) if is_deposit else None,
        refund_under_way=is_deposit and operations.live(Kind.REFUND, parent=operation) is not None,
        key_lifetime=settings.STRIPE_KEY_LIFETIME,
    )


def _looks(operation: Operation) -> tuple[datetime, ...]:
    found = operation.looks.filter(attempt=operation.attempt)
    if operation.sent_at:
        found = found.filter(looked_at__gt=operation.sent_at)
    return tuple(found.order_by("looked_at").values_list("looked_at", flat=True))


def _job_state(operation: Operation) -> State | None:
    if operation.job_id is None:
        return None
    try:
        return State(selectors.get(operation.job_id).state)
    except LookupError:
        return None
