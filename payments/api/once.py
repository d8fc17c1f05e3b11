"""POSTs that may be sent again: the header Idempotency-Key."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.database import now
from payments import idempotency
from payments.api.base import MoneyView, caller_of
from payments.idempotency import Answer, Slot
from payments.refusals import Refused
from payments.transactions import transaction_of_ours

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
DESCRIBED = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description="Up to 255 printable ASCII characters of the sender's choice. The same request with the same key "
    f"is done once; for 24 hours its answer is given again, with `{REPLAYED}: true`.",
)


def once[V: MoneyView](work: Callable[..., Answer]) -> Callable[..., Response]:
    """Make a POST of `work`, which runs in one transaction with the keeping of its answer.

    Raises Refused: invalid_idempotency_key, idempotency_key_reused, idempotency_key_in_use.
    """

    @extend_schema(parameters=[DESCRIBED])
    @wraps(work)
    def post(view: V, request: Request, **where: Any) -> Response:
        effect = partial(work, view, request, **where)
        slot = _slot(request)
        return view.show(transaction_of_ours(effect)) if slot is None else _once(view, slot, effect)

    return post


def _once(view: MoneyView, slot: Slot, effect: Callable[[], Answer]) -> Response:
    taken = idempotency.take(slot, now=now())
    if isinstance(taken, Answer):
        response = view.show(taken)
        response[REPLAYED] = "true"
        return response
    try:
        answer = idempotency.keep(taken, effect)
    except BaseException:
        idempotency.free(taken)
        raise
    return view.show(answer)


def _slot(request: Request) -> Slot | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not re.fullmatch(r"[\x20-\x7e]{1,255}", key):
        raise Refused("invalid_idempotency_key", f"{HEADER} is 1 to 255 printable ASCII characters.")
    # The path too: an address with another id in it is another request.
    said = json.dumps([request.path, request.data], sort_keys=True, separators=(",", ":"))
    address = request.resolver_match
    return Slot(
        user_id=caller_of(request).pk,
        route=f"{request.method} {address.route if address else request.path}",
        key=key,
        body_hash=hashlib.sha256(said.encode()).hexdigest(),
    )
