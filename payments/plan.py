"""What would happen to an operation, said beforehand: what is skipped, what sent, what only looked for (pure).

It follows payments/dispatch.py and payments/decisions/moves.py; a test holds it against what a run really sends.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from jobs import State
from payments.decisions.case import Case
from payments.models import Operation
from payments.money import Money, words
from payments.states import Dispatch, Kind, Status

PATHS = {
    Kind.DEPOSIT: "/v1/payment_intents",
    Kind.RELEASE: "/v1/transfers",
    Kind.REVERSAL: "/v1/transfers/{transfer}/reversals",
    Kind.WITHDRAWAL: "/v1/payouts",
    Kind.REFUND: "/v1/refunds",
}

LOOKED = (
    "If it is there, the books are told and its job ends. If it is not, that is remembered: two looks, an hour apart, "
    "are the proof that it is not."
)


class Will(StrEnum):
    """What becomes of one part of it."""

    SKIPPED = "already done, will be skipped"
    DROPPED = "will not be sent any more"
    SENT = "will be sent"
    LOOKED_FOR = "will only be looked for"
    BOOKED = "will be booked"
    WAITS = "waits"
    STAYS = "stays as it is"


class Step(NamedTuple):
    """One line of a plan."""

    will: Will
    words: str


def running(case: Case) -> list[Step]:
    """What the next run of its job does."""
    operation = case.operation
    if operation.dispatch == Dispatch.REJECTED or operation.status in (Status.CANCELED, Status.REJECTED):
        return [Step(Will.STAYS, f"It was given up, and nothing is sent. {operation.error}".strip())]
    if operation.dispatch == Dispatch.MANUAL or operation.status == Status.MANUAL:
        return [*_made(operation), Step(Will.WAITS, "A person has to decide; a run sends nothing.")]
    if operation.dispatch == Dispatch.CONFIRMED:
        return [*_made(operation), *_after_it_was_made(operation)]
    if operation.status == Status.REVERSING:
        return [Step(Will.WAITS, f"{request(operation)}: not before the freelancer's part has come back.")]
    if case.key_too_old:
        return [Step(Will.LOOKED_FOR, f"{request(operation)}, because {_old(case)}.")]
    if case.frozen:
        return [Step(Will.WAITS, f"{request(operation)}: not before the dispute about its milestone is decided.")]
    return [Step(Will.SENT, f"{request(operation)}{_again(operation)}."), _booked(operation)]


def looking(case: Case, stripe_id: str = "") -> list[Step]:
    """What a look at Stripe does."""
    operation, where = case.operation, stripe_id or case.operation.stripe_id or ""
    found = f"{where} is read as it is now" if where else f"what {operation.idempotency_key} may have made"
    hours = int(case.key_lifetime.total_seconds() // 3600)
    age = f" (the key is older than {hours} h)" if case.key_too_old and not where else ""
    told = "The books are told what changed." if where else LOOKED
    return [
        Step(Will.LOOKED_FOR, f"{found}{age}."),
        Step(Will.BOOKED, told),
        Step(Will.STAYS, "Nothing is sent, and what it holds stays held."),
    ]


def giving_back(case: Case) -> list[Step]:
    """What giving it up does."""
    operation = case.operation
    steps = [*_not_there(case), Step(Will.BOOKED, _given_back(operation))]
    if operation.kind == Kind.REVERSAL:
        steps.append(Step(Will.STAYS, "The refund that waits for it is given up with it."))
    if case.job_state == State.UNKNOWN:
        steps.append(Step(Will.STAYS, "Its job ends as failed, with your reason."))
    return [*steps, Step(Will.STAYS, "Nothing is sent to Stripe. The operation cannot be taken up again.")]


def beginning_anew(case: Case) -> list[Step]:
    """What a new attempt does."""
    operation = case.operation
    anew = f"{request(operation, attempt=operation.attempt + 1)}, the same as before under a new key"
    if case.frozen:
        sent = Step(Will.WAITS, f"{anew}: not before the dispute about its milestone is decided.")
    else:
        sent = Step(Will.SENT, f"{anew}.")
    return [*_not_there(case), sent, _booked(operation)]


def refunding(case: Case) -> list[Step]:
    """What giving back a deposit's set-aside money does."""
    deposit, money = case.operation, case.set_aside
    if money is None:
        return [Step(Will.STAYS, "Nothing of it lies in suspense.")]
    shown = words(money, "en")
    return [
        *_made(deposit),
        Step(Will.SENT, f"POST {PATHS[Kind.REFUND]} {shown} of {deposit.stripe_id}, under the key of a new refund."),
        Step(Will.BOOKED, f"{shown} is held in suspense now, and leaves it when Stripe has debited the platform."),
        Step(Will.STAYS, "When the payer has it back, the deposit is closed and its milestone may be funded anew."),
    ]


def request(operation: Operation, *, attempt: int | None = None) -> str:
    """What is sent for it, and under which key: the present attempt's, or another's."""
    kind, params = Kind(operation.kind), operation.params
    key = operation.idempotency_key if attempt is None else f"{kind}:{operation.pk}:{attempt}"
    path = PATHS[kind].format(transfer=params.get("transfer", ""))
    amount = words(Money(params["amount"], operation.currency), "en")
    to = {
        Kind.RELEASE: f" to {params.get('destination')}",
        Kind.WITHDRAWAL: f" on behalf of {operation.stripe_account}",
        Kind.REFUND: f" of {params.get('payment_intent')}",
    }.get(kind, "")
    return f"POST {path} {amount}{to} under key {key}"


def _made(operation: Operation) -> Iterator[Step]:
    """Its object at Stripe, which is never made a second time."""
    if operation.stripe_id and operation.confirmed_at:
        at = _at(operation.confirmed_at)
        yield Step(Will.SKIPPED, f"{request(operation)}: it made {operation.stripe_id}, known since {at}.")


def _after_it_was_made(operation: Operation) -> Iterator[Step]:
    if operation.booked_at:
        yield Step(Will.SKIPPED, f"Its money was booked at {_at(operation.booked_at)}.")
    elif operation.kind == Kind.DEPOSIT:
        yield Step(Will.LOOKED_FOR, f"{operation.stripe_id}: whether the client has paid.")
        yield _booked(operation)
    else:
        yield Step(Will.WAITS, f"Stripe's events tell when {operation.stripe_id} has moved the money.")


def _not_there(case: Case) -> Iterator[Step]:
    """The attempt that proved to have had no effect."""
    operation = case.operation
    if operation.first_sent_at is None:
        yield Step(Will.DROPPED, f"{request(operation)}: it was never sent.")
        return
    looks = " and ".join(_at(look) for look in (case.looks[0], case.looks[-1])) if case.looks else "never"
    yield Step(
        Will.DROPPED,
        f"{request(operation)}: sent at {_at(operation.first_sent_at)}, not at Stripe (looked for: {looks}).",
    )


def _again(operation: Operation) -> str:
    if operation.dispatch not in (Dispatch.SENT, Dispatch.UNKNOWN):
        return ""
    return ", the same key and bytes as before: what Stripe has done already it does not do again"


def _booked(operation: Operation) -> Step:
    shown = _amount(operation)
    moved = {
        Kind.DEPOSIT: f"{shown} into the escrow of milestone {operation.milestone_id}, once it is paid.",
        Kind.RELEASE: f"{shown} out of the escrow of milestone {operation.milestone_id}, once Stripe has the transfer.",
        Kind.WITHDRAWAL: f"{shown} out of what the freelancer may withdraw, once Stripe's balance has moved.",
        Kind.REFUND: f"{shown} out of {_source(operation)}, once Stripe's balance has moved.",
        Kind.REVERSAL: f"{shown} back into the escrow of milestone {operation.milestone_id}; then its refund is sent.",
    }
    held = "" if operation.kind == Kind.DEPOSIT else " Until then it stays held."
    return Step(Will.BOOKED, moved[Kind(operation.kind)] + held)


def _given_back(operation: Operation) -> str:
    shown = _amount(operation)
    return {
        Kind.DEPOSIT: f"Nothing is held for it; milestone {operation.milestone_id} may be funded anew.",
        Kind.RELEASE: f"The hold of {shown} goes back into the escrow of milestone {operation.milestone_id}.",
        Kind.WITHDRAWAL: f"The hold of {shown} goes back to what the freelancer may withdraw.",
        Kind.REFUND: f"The hold of {shown} goes back into {_source(operation)}.",
        Kind.REVERSAL: f"The hold of {_net(operation)} goes back to what the freelancer may withdraw.",
    }[Kind(operation.kind)]


def _source(operation: Operation) -> str:
    return "suspense" if operation.parent_id else f"the escrow of milestone {operation.milestone_id}"


def _old(case: Case) -> str:
    hours = int(case.key_lifetime.total_seconds() // 3600)
    return f"the key is older than {hours} h: Stripe may have forgotten it, and would do it a second time"


def _amount(operation: Operation) -> str:
    return words(Money(operation.amount, operation.currency), "en")


def _net(operation: Operation) -> str:
    return words(Money(operation.amount - operation.fee, operation.currency), "en")


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
