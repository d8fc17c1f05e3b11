"""What a caller's Idempotency-Key was answered: kept in the transaction of its effect, and given again.

A key is taken (committed, so that a second request with it is told to wait), then the effect and the answer are
written together. Whoever dies in between leaves the row `running`; after ABANDONED it may be taken over, and a
first owner that wakes up then writes nothing. A request that was refused had no effect, and leaves its key free.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jobs.database import rows
from payments.models import IdempotencyRequest
from payments.models.request import RequestState
from payments.refusals import Refused
from payments.transactions import transaction_of_ours

LIFETIME = timedelta(hours=24)
"""How long an answer is given again."""
ABANDONED = timedelta(seconds=60)
"""After this a request that neither answered nor failed is taken for dead."""

_TAKE = """
INSERT INTO payments_idempotencyrequest (user_id, route, key, body_hash, state, created_at, expires_at)
VALUES (%(user)s, %(route)s, %(key)s, %(hash)s, 'running', %(now)s, %(until)s)
ON CONFLICT (user_id, route, key) DO NOTHING RETURNING id
"""
# SKIP LOCKED: a row whose owner is just writing its effect is not abandoned, however long that takes.
_TAKE_OVER = """
UPDATE payments_idempotencyrequest SET body_hash = %(hash)s, state = 'running', response_status = NULL,
       response_body = NULL, operation_id = NULL, created_at = %(now)s, expires_at = %(until)s
WHERE id IN (
    SELECT id FROM payments_idempotencyrequest WHERE user_id = %(user)s AND route = %(route)s AND key = %(key)s
       AND (expires_at <= %(now)s OR (state = 'running' AND body_hash = %(hash)s AND created_at <= %(abandoned)s))
    FOR UPDATE SKIP LOCKED)
RETURNING id
"""
_SWEEP = """
DELETE FROM payments_idempotencyrequest WHERE id IN (
    SELECT id FROM payments_idempotencyrequest WHERE expires_at <= %s ORDER BY expires_at LIMIT 10
    FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """What a key is compared by: who sent it, where to, and the SHA-256 of what."""

    user_id: int
    route: str
    key: str
    body_hash: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a request is answered. `body` is JSON; `operation_id` the operation that it asked for, if any."""

    body: dict[str, Any]
    status: int = 200
    operation_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Taken:
    """The key is ours since `at`, until somebody takes it over."""

    row_id: int
    at: datetime


def take(slot: Slot, *, now: datetime) -> Taken | Answer:
    """The key, to be answered; or the answer that it had. Ten rows that expired are thrown away on the way.

    Raises Refused: idempotency_key_reused (with another body), idempotency_key_in_use.
    """
    rows(_SWEEP, [now])
    values = {
        "user": slot.user_id, "route": slot.route, "key": slot.key, "hash": slot.body_hash,
        "now": now, "until": now + LIFETIME, "abandoned": now - ABANDONED,
    }  # fmt: skip
    ours = rows(_TAKE, values) or rows(_TAKE_OVER, values)
    return Taken(ours[0][0], now) if ours else _known(slot)


def keep(taken: Taken, work: Callable[[], Answer]) -> Answer:
    """Do the work and keep its answer, in one transaction. Raises Refused (idempotency_key_in_use): taken over."""

    def both() -> Answer:
        if not _running(taken).select_for_update(no_key=True).exists():
            raise _in_use()
        answer = work()
        _running(taken).update(
            state=RequestState.DONE,
            response_status=answer.status,
            response_body=answer.body,
            operation_id=answer.operation_id,
        )
        return answer

    return transaction_of_ours(both)


def free(taken: Taken) -> bool:
    """Nothing was done: the key may be used again. False when it is not ours any more."""
    deleted, _ = _running(taken).delete()
    return deleted == 1


def _running(taken: Taken) -> Any:
    return IdempotencyRequest.objects.filter(pk=taken.row_id, state=RequestState.RUNNING, created_at=taken.at)


def _known(slot: Slot) -> Answer:
    row = IdempotencyRequest.objects.filter(user_id=slot.user_id, route=slot.route, key=slot.key).first()
    if row is not None and row.body_hash != slot.body_hash:
        raise Refused(
            "idempotency_key_reused",
            "This Idempotency-Key came with another request before. Use a new key for a new request.",
        )
    if row is None or row.response_status is None:
        raise _in_use()
    return Answer(body=row.response_body or {}, status=row.response_status, operation_id=row.operation_id)


def _in_use() -> Refused:
    return Refused(
        "idempotency_key_in_use",
        "A request with this Idempotency-Key is being answered. Send it again in a moment, with the same key.",
    )
