"""States and the legal moves between them (pure): of milestones, disputes, and of operations twice over.

An operation's `dispatch` says what became of our request to Stripe, its `status` what became of the money.
`sending` and `unknown` are words of the dispatch, so no status repeats them. Every status table but for two
moves leads one way only: a late or repeated event never takes anything back.
"""

from __future__ import annotations

from django.db import models


class Kind(models.TextChoices):
    """What an operation does."""

    DEPOSIT = "deposit"  # the client's card → platform
    RELEASE = "release"  # platform → the freelancer's connected account
    WITHDRAWAL = "withdrawal"  # connected account → the freelancer's bank
    REFUND = "refund"  # platform → the client's card
    REVERSAL = "reversal"  # connected account → platform, before a refund after a release


class Dispatch(models.TextChoices):
    """What became of the request."""

    READY = "ready"
    SENT = "sent"  # committed before the request is; found without a living job it is as good as unknown
    CONFIRMED = "confirmed"  # the object exists at Stripe
    UNKNOWN = "unknown"  # it may exist; the hold stays
    REJECTED = "rejected"  # it does not exist and never will; the hold was given back
    PARKED = "parked"  # provably not done, and waiting for a person or the end of a dispute
    MANUAL = "manual"  # a person decides


class Status(models.TextChoices):
    """What became of the money; which of them a kind knows is in STATUS_MOVES."""

    AWAITING_PAYMENT = "awaiting_payment"
    PROCESSING = "processing"
    FAILED = "failed"  # the card was declined; the customer may pay again on the same PaymentIntent
    HELD = "held"
    DISPUTED = "disputed"
    LOST = "lost"
    MANUAL = "manual"  # something was paid, but not what was asked for
    REQUESTED = "requested"
    TRANSFERRED = "transferred"
    PARTLY_REVERSED = "partly_reversed"
    FULLY_REVERSED = "fully_reversed"
    PENDING = "pending"
    IN_BANK_TRANSIT = "in_bank_transit"
    PAID = "paid"
    FAILED_RETURNED = "failed_returned"  # the money came back
    CANCELED = "canceled"  # as Stripe spells it
    REVERSING = "reversing"  # a refund that waits for the reversal
    REFUNDED = "refunded"
    REVERSED = "reversed"
    REJECTED = "rejected"


class MilestoneStatus(models.TextChoices):
    """Where a milestone is."""

    DRAFT = "draft"
    FUNDING = "funding"
    FUNDED = "funded"
    DELIVERED = "delivered"
    RELEASED = "released"
    REFUNDED = "refunded"
    DISPUTED = "disputed"  # frozen; `resumes_as` says what it is besides
    LOST = "lost"  # the client's bank took the money back


class DisputeStatus(models.TextChoices):
    """Where a dispute is."""

    OPEN = "open"
    RESOLVED = "resolved"  # by our staff
    WON = "won"  # at Stripe: the money stays
    LOST = "lost"


class Resolution(models.TextChoices):
    """How our staff may end a dispute."""

    RELEASE = "release"
    REFUND = "refund"
    DISMISS = "dismiss"  # as if it had not been


type Moves[T] = dict[T, frozenset[T]]


def _moves[T](*rows: tuple[T, ...]) -> Moves[T]:
    return {origin: frozenset(targets) for origin, *targets in rows}


M, D, S = MilestoneStatus, Dispatch, Status

MILESTONE_MOVES: Moves[MilestoneStatus] = _moves(
    (M.DRAFT, M.FUNDING),
    (M.FUNDING, M.FUNDED, M.DRAFT),
    (M.FUNDED, M.DELIVERED, M.RELEASED, M.REFUNDED, M.LOST, M.DISPUTED),
    (M.DELIVERED, M.RELEASED, M.REFUNDED, M.LOST, M.DISPUTED),
    (M.RELEASED, M.FUNDED, M.DELIVERED, M.REFUNDED, M.DISPUTED),  # back: its transfer was reversed
    (M.REFUNDED, M.FUNDED, M.DELIVERED, M.DISPUTED),  # back: the refund failed later
    (M.DISPUTED, M.FUNDED, M.DELIVERED, M.RELEASED, M.REFUNDED, M.LOST),
    (M.LOST,),
)
"""While a milestone is disputed the same moves change what it resumes as."""

DISPUTE_MOVES: Moves[DisputeStatus] = _moves(
    (DisputeStatus.OPEN, DisputeStatus.RESOLVED, DisputeStatus.WON, DisputeStatus.LOST),
    (DisputeStatus.RESOLVED,),
    (DisputeStatus.WON,),
    (DisputeStatus.LOST,),
)

DISPATCH_MOVES: Moves[Dispatch] = _moves(
    # Confirmed from anywhere but rejected: an event overtakes the response, or a reconciliation finds the object.
    (D.READY, D.SENT, D.PARKED, D.REJECTED, D.CONFIRMED, D.MANUAL),
    # Back to ready is a new attempt, with a new key: the old one proved to have had no effect.
    (D.SENT, D.CONFIRMED, D.UNKNOWN, D.REJECTED, D.PARKED, D.MANUAL, D.READY),
    (D.UNKNOWN, D.CONFIRMED, D.REJECTED, D.MANUAL, D.READY),
    (D.PARKED, D.READY, D.REJECTED, D.CONFIRMED, D.MANUAL),
    (D.MANUAL, D.CONFIRMED, D.REJECTED, D.READY),
    (D.REJECTED,),
    (D.CONFIRMED,),
)

STATUS_MOVES: dict[Kind, Moves[Status]] = {
    Kind.DEPOSIT: _moves(
        (S.AWAITING_PAYMENT, S.PROCESSING, S.FAILED, S.HELD, S.CANCELED, S.MANUAL, S.REJECTED),
        (S.PROCESSING, S.FAILED, S.HELD, S.CANCELED, S.MANUAL),
        (S.FAILED, S.PROCESSING, S.HELD, S.CANCELED, S.MANUAL),
        (S.HELD, S.DISPUTED),
        (S.DISPUTED, S.HELD, S.LOST),
        (S.CANCELED,),
        (S.MANUAL, S.CANCELED),  # all that was paid went back
        (S.LOST,),
        (S.REJECTED,),
    ),
    Kind.RELEASE: _moves(
        (S.REQUESTED, S.TRANSFERRED, S.REJECTED),
        (S.TRANSFERRED, S.PARTLY_REVERSED, S.FULLY_REVERSED),
        (S.PARTLY_REVERSED, S.FULLY_REVERSED),
        (S.FULLY_REVERSED,),
        (S.REJECTED,),
    ),
    Kind.WITHDRAWAL: _moves(
        (S.REQUESTED, S.PENDING, S.IN_BANK_TRANSIT, S.PAID, S.FAILED_RETURNED, S.CANCELED, S.REJECTED),
        (S.PENDING, S.IN_BANK_TRANSIT, S.PAID, S.FAILED_RETURNED, S.CANCELED),
        (S.IN_BANK_TRANSIT, S.PAID, S.FAILED_RETURNED, S.CANCELED),
        (S.PAID, S.FAILED_RETURNED),  # a bank may give it back five business days later
        (S.FAILED_RETURNED,),
        (S.CANCELED,),
        (S.REJECTED,),
    ),
    Kind.REFUND: _moves(
        (S.REVERSING, S.REQUESTED, S.REJECTED),
        (S.REQUESTED, S.PENDING, S.REFUNDED, S.FAILED_RETURNED, S.REJECTED),
        (S.PENDING, S.REFUNDED, S.FAILED_RETURNED),
        (S.REFUNDED, S.FAILED_RETURNED),
        (S.FAILED_RETURNED,),
        (S.REJECTED,),
    ),
    Kind.REVERSAL: _moves((S.REQUESTED, S.REVERSED, S.REJECTED), (S.REVERSED,), (S.REJECTED,)),
}

BACK: dict[Kind, frozenset[tuple[Status, Status]]] = {
    Kind.DEPOSIT: frozenset({(S.DISPUTED, S.HELD), (S.FAILED, S.PROCESSING)})
}
"""The only moves that lead back: a dispute was won, a declined customer paid again."""

FIRST_STATUS = {
    Kind.DEPOSIT: S.AWAITING_PAYMENT,
    Kind.RELEASE: S.REQUESTED,
    Kind.WITHDRAWAL: S.REQUESTED,
    Kind.REFUND: S.REQUESTED,
    Kind.REVERSAL: S.REQUESTED,
}

ENDED_UNBOOKED = (S.CANCELED, S.MANUAL, S.FAILED_RETURNED, S.REJECTED)
"""Where an operation whose money never moved in the ledger is over; elsewhere it is live until it is booked."""

WITH_MONEY = (M.FUNDED, M.DELIVERED)
"""Milestones whose money may be released or refunded."""


def statuses(kind: Kind) -> list[Status]:
    """Every status that this kind of operation knows."""
    return list(STATUS_MOVES[kind])


def origins[T](moves: Moves[T], target: T) -> list[T]:
    """The states from which something may move to `target`."""
    return [origin for origin, targets in moves.items() if target in targets]
