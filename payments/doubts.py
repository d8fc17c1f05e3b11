"""Operations of which nobody knows what became of them, and which no job drives any more: looked for, never sent.

Found, the operation is told and its job decided. Not found is no proof while Stripe may still do it: only when its key
is forgotten there, and it was looked for twice, is it left to a person.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from jobs import State, control, selectors
from payments import dispatch, gateway, ledger, operations, outcomes, seen
from payments.gateway import GatewayError, Read
from payments.gateway.lookups import SKEW
from payments.models import Look, Operation
from payments.states import Dispatch, Kind, Status

logger = logging.getLogger(__name__)

FORGOTTEN = timedelta(hours=24)
"""After this Stripe may forget a key (https://docs.stripe.com/api/idempotent_requests)."""
APART = timedelta(hours=1)
"""Between two looks that count: lists may be late."""
DRIVEN = (State.WAITING, State.DELAYED, State.ACTIVE)
CREATED = {
    Kind.DEPOSIT: "payment_intent.created",
    Kind.RELEASE: "transfer.created",
    Kind.WITHDRAWAL: "payout.created",
    Kind.REFUND: "refund.created",
}
"""The event that names the object. A reversal's names the transfer; its list is complete."""


def resolve(*, now: datetime) -> dict[str, int]:
    """Look for every doubt once more; how many were found, are absent, were left to a person, or could not be seen."""
    counts: Counter[str] = Counter()
    for operation in _undriven():
        try:
            counts[_look(operation, now)] += 1
        except GatewayError as silence:
            logger.warning("%s cannot be looked for: %s", operation, silence)
            counts["not seen"] += 1
            if silence.down:  # the others would not be seen either, each at its own time-out
                break
    for operation in _told_meanwhile():
        counts["told meanwhile"] += end_job(operation)
    return dict(counts)


def look_at(operation_id: uuid.UUID, *, stripe_id: str = "", now: datetime) -> str:
    """Look for one operation, wherever it is, because a person asked; what came of it, in a few words.

    `stripe_id`: where that person saw it, should Stripe's lists be late. Raises GatewayError; outcomes.Contradiction
    for an object that another operation made, or nobody of ours.
    """
    operation = Operation.objects.select_related("payout_account", "milestone").get(pk=operation_id)
    if stripe_id and stripe_id != operation.stripe_id:
        found = seen.fetch(operation, stripe_id)
        named = (found.get("metadata") or {}).get("operation_id")
        if named != str(operation.pk):
            raise outcomes.Contradiction(f"{stripe_id} names {named or 'no operation'} as what made it: not adopted.")
        return _tell(operation, found, now)
    if operation.stripe_id:
        return _tell(operation, seen.fetch(operation, operation.stripe_id), now)
    if operation.first_sent_at is None:
        return "never sent"
    return _look(operation, now)


def end_job(operation: Operation) -> bool:
    """Decide the unknown outcome of the operation's job, now that the operation knows; whether there was one.

    A deposit that nobody paid yet goes on asking: with its object known, no run sends anything any more.
    """
    operation.refresh_from_db()
    if operation.dispatch != Dispatch.CONFIRMED or operation.status == Status.MANUAL:
        return False
    if _job_state(operation) != State.UNKNOWN or operation.job_id is None:
        return False
    unpaid = operation.kind == Kind.DEPOSIT and not operation.booked_at and operation.status != Status.CANCELED
    control.resolve(
        operation.job_id,
        state=State.WAITING if unpaid else State.COMPLETED,
        reason=f"{operation.stripe_id} was found at Stripe; it is {operation.status}.",
        by="resolve_unknown",
    )
    return True


def _undriven() -> Iterator[Operation]:
    """Doubts whose job is unknown, over, or gone."""
    doubts = Operation.objects.select_related("payout_account", "milestone").order_by("id")
    for operation in doubts.filter(dispatch__in=[Dispatch.SENT, Dispatch.UNKNOWN]):
        if _job_state(operation) not in DRIVEN:
            yield operation


def _told_meanwhile() -> Iterator[Operation]:
    """Operations that an event confirmed after their job had given up."""
    unknown = selectors.Filter(queue="payment", state=State.UNKNOWN).apply()
    yield from Operation.objects.filter(dispatch=Dispatch.CONFIRMED, job_id__in=unknown.values("pk")).order_by("id")


def _job_state(operation: Operation) -> State | None:
    if operation.job_id is None:
        return None
    try:
        return State(selectors.get(operation.job_id).state)
    except LookupError:  # it left after its keeping
        return None


def _look(operation: Operation, now: datetime) -> str:
    stripe_id = _find(operation)
    if not stripe_id:
        return _not_there(operation, now)
    return _tell(operation, seen.fetch(operation, stripe_id), now)


def _tell(operation: Operation, found: dict[str, Any], now: datetime) -> str:
    stripe_id = str(found["id"])
    try:
        with transaction.atomic():
            seen.tell(operation, found, now=now)
            end_job(operation)
    except outcomes.TooEarly as early:
        logger.info("%s is at Stripe as %s: %s", operation, stripe_id, early)
        return "too early"
    except (outcomes.Contradiction, ledger.LedgerConflict, ledger.InsufficientFunds) as wrong:
        Look.objects.filter(operation=operation, attempt=operation.attempt).delete()  # it was there: they prove nothing
        error = f"{stripe_id} was found at Stripe, and cannot be booked: {wrong}"
        if not operations.manual(operation, error=error):
            operations.note_error(operation, code=operation.error_code, error=error)
        return "left to a person"
    return "found"


def _find(operation: Operation) -> str:
    """Its object's id: by what Stripe lists, else by an event that its key caused; empty when it is not there."""
    assert operation.first_sent_at is not None  # noqa: S101 - a doubt was sent (constraint operation_in_doubt_…)
    call = dispatch.call_of(operation)
    found = gateway.find(call, operation_id=str(operation.pk), since=operation.first_sent_at)
    if found:
        return str(found["id"])
    kind = Kind(operation.kind)
    if kind not in CREATED:
        return ""
    since = {"gte": int((operation.first_sent_at - SKEW).timestamp())}
    query = Read(what="events", params={"type": CREATED[kind], "created": since}, account=operation.stripe_account)
    caused = (event for event in gateway.pages(query) if _caused_by(event, operation.idempotency_key))
    return next((str(event["data"]["object"]["id"]) for event in caused), "")


def _caused_by(event: dict[str, Any], key: str) -> bool:
    return (event.get("request") or {}).get("idempotency_key") == key


def _not_there(operation: Operation, now: datetime) -> str:
    """Remember the look, at most one an hour, and leave it to a person when there is nothing more to wait for."""
    if _job_state(operation) in DRIVEN:
        return "absent"  # its job may still send it: that proves nothing
    looks = Look.objects.filter(operation=operation, attempt=operation.attempt)
    first = looks.order_by("looked_at").first()
    latest = looks.order_by("-looked_at").first()
    if latest is None or latest.looked_at <= now - APART:
        latest = Look.objects.create(operation=operation, attempt=operation.attempt, looked_at=now)
    if operation.dispatch not in (Dispatch.SENT, Dispatch.UNKNOWN):
        return "absent"  # a person has it already
    old = operation.first_sent_at is not None and operation.first_sent_at <= now - FORGOTTEN
    if first is None or not old or latest.looked_at - first.looked_at < APART:
        return "absent"
    words = (
        f"It is not at Stripe: looked for at {first.looked_at:%Y-%m-%d %H:%M} and {latest.looked_at:%Y-%m-%d %H:%M} "
        f"UTC, among its objects and by its key among the events. The key was first used at "
        f"{operation.first_sent_at:%Y-%m-%d %H:%M} UTC and is forgotten. A person decides: give the hold back, or "
        "begin anew."
    )
    operations.manual(operation, error=words)
    logger.error("%s is left to a person: %s", operation, words)
    return "left to a person"
