"""Writing operations down, and finding them again."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings

from jobs.ids import uuid7
from payments.models import Milestone, Operation, PayoutAccount
from payments.money import Money
from payments.states import ENDED_UNBOOKED, FIRST_STATUS, Kind, Status


def new_id() -> uuid.UUID:
    """An id for an operation, which its params name in their metadata."""
    return uuid7()


def create(
    *,
    operation_id: uuid.UUID,
    kind: Kind,
    amount: Money,
    params: dict[str, Any],
    requested_by: int | None,
    fee: Money | None = None,
    milestone: Milestone | None = None,
    payout_account: PayoutAccount | None = None,
    parent: Operation | None = None,
    reason: str = "",
    status: Status | None = None,
) -> Operation:
    """Write an operation down, unsent. Raises IntegrityError when one like it is live (callers look before, locked)."""
    return Operation.objects.create(
        id=operation_id,
        kind=kind,
        amount=amount.minor,
        fee=fee.minor if fee else 0,
        currency=amount.currency,
        params=params,
        milestone=milestone,
        payout_account=payout_account,
        parent=parent,
        stripe_account=payout_account.stripe_account if payout_account and kind == Kind.WITHDRAWAL else "",
        api_version=settings.STRIPE_API_VERSION,
        requested_by_id=requested_by,
        reason=reason,
        status=status or FIRST_STATUS[kind],
    )


def live(kind: Kind, **about: Any) -> Operation | None:
    """The operation of this kind about something (`milestone=…`) whose money is neither booked nor given up."""
    found = Operation.objects.select_related("payout_account").filter(kind=kind, booked_at__isnull=True, **about)
    return found.exclude(status__in=ENDED_UNBOOKED).first()


def find(*, operation_id: str = "", idempotency_key: str = "", stripe_id: str = "") -> Operation | None:
    """The operation that an object or event of Stripe's is about: by metadata, else by key, else by its own id.

    None when it is none of ours; text that is no id is none of ours either.
    """
    for text, column in ((operation_id, "pk"), (idempotency_key, "pk"), (stripe_id, "stripe_id")):
        value = _id_in(text) if column == "pk" else text or None
        found = Operation.objects.filter(**{column: value}).first() if value else None
        if found:
            return found
    return None


def _id_in(text: str) -> uuid.UUID | None:
    """The operation's id in itself or in a key such as `release:<id>:1`."""
    parts = text.split(":")
    try:
        return uuid.UUID(parts[1] if len(parts) == 3 else text) if text else None
    except ValueError:
        return None
