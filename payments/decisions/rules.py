"""Why something may not be done with an operation, in a sentence, with what to do instead; empty when it may (pure).

"Not found" is a proof only when it was looked for twice, an hour apart, since it was last sent: lists may be late.
"""

from __future__ import annotations

from datetime import timedelta

from jobs import State
from payments.decisions.case import Case
from payments.states import Dispatch, Kind, Status

APART = timedelta(hours=1)
"""Between two looks that prove something together (payments/doubts.py keeps at most one an hour)."""
FRESH = 2 * APART
"""So old the latest look may be when somebody decides by it."""
DRIVEN = (State.WAITING, State.DELAYED, State.ACTIVE)


def against_looking(case: Case) -> str:
    """Why Stripe is not asked about it."""
    operation = case.operation
    if operation.dispatch == Dispatch.REJECTED:
        return "It was given up, so there is nothing to look for."
    if operation.first_sent_at is None and operation.stripe_id is None:
        return "Stripe was not asked for it yet, so there is nothing to look for."
    return ""


def against_giving_back(case: Case) -> str:
    """Why what it holds is not given back."""
    return _not_with_a_person(case) or _may_be_there(case)


def against_beginning_anew(case: Case) -> str:
    """Why it gets no new key."""
    return _not_with_a_person(case) or _may_be_there(case)


def against_running_again(case: Case) -> str:
    """Why its job is not started again."""
    operation = case.operation
    if operation.dispatch == Dispatch.REJECTED or operation.status in (Status.REJECTED, Status.CANCELED):
        return "It was given up; ask for the money anew instead."
    if operation.booked_at or (operation.dispatch == Dispatch.CONFIRMED and operation.kind != Kind.DEPOSIT):
        return "It is done; Stripe's events tell what follows."
    if operation.dispatch == Dispatch.MANUAL or operation.status == Status.MANUAL:
        return "A run would only say that a person has to decide."
    if case.job_state == State.UNKNOWN:
        return "Its job is in doubt, and a doubt is looked for, never retried."
    if case.job_state in DRIVEN:
        return f"Its job is {case.job_state} and goes on by itself."
    return ""


def against_refunding(case: Case) -> str:
    """Why nothing of a deposit is refunded from suspense."""
    if case.operation.kind != Kind.DEPOSIT:
        return "Only of a deposit something may have been set aside."
    if case.refund_under_way:
        return "It is on its way back already."
    if case.set_aside is None:
        return "Nothing of it lies in suspense."
    return ""


def _not_with_a_person(case: Case) -> str:
    dispatch = case.operation.dispatch
    if dispatch == Dispatch.UNKNOWN or dispatch == Dispatch.SENT:
        return "It is in doubt: it is looked for until it is found, or left to a person because it is not there."
    if dispatch != Dispatch.MANUAL:
        return f"It is {dispatch}; only what was left to a person (manual) is decided about."
    if case.job_state in DRIVEN:
        return f"Its job is {case.job_state}; wait until that has ended."
    return ""


def _may_be_there(case: Case) -> str:
    """Why nobody may act as if Stripe had not done it."""
    if case.operation.first_sent_at is None:
        return ""
    if not case.looks:
        return "Nobody has looked for it at Stripe since it was sent and left to a person: look first."
    if case.looks[-1] - case.looks[0] < APART:
        again = case.looks[0] + APART
        return f"Stripe's lists may be late: look again after {again:%H:%M} UTC, an hour after the first look."
    if case.looks[-1] < case.now - FRESH:
        return f"It was last looked for at {case.looks[-1]:%Y-%m-%d %H:%M} UTC: look once more, then decide."
    return ""
