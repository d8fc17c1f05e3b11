"""The answer to whoever asked for money to move."""

from __future__ import annotations

from payments.api import answers
from payments.api.base import Caller
from payments.idempotency import Answer
from payments.services import Requested

BEGUN = "It was written down; a job does the rest."
KNOWN = "It was asked for before; nothing was done anew."


def answer_of(requested: Requested, caller: Caller) -> Answer:
    """202 with the new operation, 200 with the one there was."""
    operation, created = requested
    body = answers.shown(answers.RequestedAnswer, operation, caller, message=BEGUN if created else KNOWN)
    return Answer(body=body, status=202 if created else 200, operation_id=operation.pk)
