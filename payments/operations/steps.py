"""Writing down what was done with an operation, by which run of which job: the effect ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs import current_job
from jobs.context import inside_a_job
from payments.models import Effect, Operation
from payments.states import Dispatch


def write(operation: Operation, changes: Mapping[str, Any]) -> None:
    """One row for a change that won, in its transaction. A change of nothing that became of it writes none."""
    step = _name(operation, changes)
    if not step:
        return
    run = current_job() if inside_a_job() else None
    Effect.objects.create(
        operation=operation,
        step=step,
        dispatch=operation.dispatch,
        status=operation.status,
        attempt=operation.attempt,
        stripe_id=operation.stripe_id or "",
        error=changes.get("error", ""),
        job_id=run.id if run else None,
        run=run.run if run else None,
    )


def _name(operation: Operation, changes: Mapping[str, Any]) -> str:
    """The step in a word: where the request got, else where the money got."""
    if "attempt" in changes:
        return "begun anew"
    if "dispatch" in changes:
        return "unparked" if operation.dispatch == Dispatch.READY else str(operation.dispatch)
    if "sent_at" in changes:
        return "sent again"
    if "booked_at" in changes:
        return "booked"
    if "status" in changes:
        return str(operation.status)
    return "noted" if changes.get("error") else ""
