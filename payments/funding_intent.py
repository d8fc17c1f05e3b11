"""The PaymentIntent of a deposit, for the browser in which the client pays.

The request makes it, so that the answer can carry its client secret; the deposit's job makes it too if it is there
first, or if this request dies. Both send the same bytes under the same key. The secret is asked for each time:
whoever has it may pay, so it is stored nowhere.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from payments import breaker, dispatch, gateway, locks, operations, outcomes, seen, throttle
from payments.gateway import GatewayError
from payments.gateway.calls import Effect
from payments.models import Operation
from payments.states import Dispatch

LOOKS = (0.1, 0.2, 0.4, 0.8)
"""Seconds between the looks at a PaymentIntent that the deposit's job is just making."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What a browser needs. `secret` None: nothing is to be paid any more."""

    id: str
    secret: str | None


def of(deposit_id: uuid.UUID, *, now: datetime) -> Intent | None:
    """The deposit's PaymentIntent, made if there is none yet. None: Stripe does not say now; its job goes on."""
    deposit = Operation.objects.get(pk=deposit_id)
    if not deposit.stripe_id and deposit.dispatch not in (Dispatch.READY, Dispatch.SENT, Dispatch.UNKNOWN):
        return None
    if breaker.wait(now) or not throttle.take(Effect.PAYMENT_INTENT) or not _may_be_asked(deposit, now):
        return None
    try:
        found = _fetch_or_send(deposit, now)
    except GatewayError as error:
        _tell_breaker(error, now)
        return None
    except outcomes.Contradiction as wrong:
        operations.manual(deposit, error=str(wrong))
        return None
    breaker.succeeded()
    open_ = found["status"] not in ("succeeded", "canceled")
    return Intent(id=found["id"], secret=found["client_secret"] if open_ else None)


def _may_be_asked(deposit: Operation, now: datetime) -> bool:
    """Known, or committed as `sent`."""
    with transaction.atomic():
        locks.operation(deposit.pk)
        deposit.refresh_from_db()
        return bool(deposit.stripe_id) or operations.mark_sent(deposit, now=now)


def _fetch_or_send(deposit: Operation, now: datetime) -> dict[str, Any]:
    if deposit.stripe_id:
        return seen.fetch(deposit, deposit.stripe_id)
    try:
        made = gateway.send(dispatch.call_of(deposit))
    except GatewayError as error:
        return _made_by_its_job(deposit, error)
    # It may be the answer of an hour ago, given again: an old one never takes anything back.
    seen.tell(deposit, made, now=now)
    return made


def _made_by_its_job(deposit: Operation, error: GatewayError) -> dict[str, Any]:
    """The key is in use: a worker asks at this moment. Raises the error for any other, or when that takes too long."""
    if error.facts.status != 409:
        raise error
    for pause in LOOKS:
        time.sleep(pause)
        deposit.refresh_from_db()
        if deposit.stripe_id:
            return seen.fetch(deposit, deposit.stripe_id)
    raise error


def _tell_breaker(error: GatewayError, now: datetime) -> None:
    if error.down:
        breaker.failed(f"{error.code}: {error}", now=now)
    elif error.facts.status:
        breaker.succeeded()
