"""The client is to get money back: all of a milestone's, or a part."""

from __future__ import annotations

from payments import currencies, fees, ledger, locks, operations, params, tasks
from payments.ledger import InsufficientFunds, accounts
from payments.models import Milestone, Operation
from payments.money import Money
from payments.outcomes.reversal import reversed_of
from payments.refusals import Refused
from payments.roles import Person, is_staff, require_client
from payments.services.requested import Requested, paid_deposit, refuse_during, refuse_while_disputed
from payments.states import Kind, MilestoneStatus, Status
from payments.transactions import transactional


@transactional
def request_refund(milestone_id: int, *, amount: Money, by: Person, reason: str) -> Requested:
    """Hold `amount` of the milestone's escrow to be refunded; after its release first ask for it back.

    After a release the refund waits (status reversing) with a reversal as its child, and holds nothing until
    that is done. By the client before the work is delivered, by staff at any time. Asking for the same
    amount again returns what is under way. Raises Refused: no_such_milestone, not_your_milestone,
    refund_needs_staff, milestone_disputed, invalid_amount, currency_mismatch, not_funded, release_in_progress,
    refund_in_progress, insufficient_funds.
    """
    milestone = locks.milestone(milestone_id)
    _refuse_stranger(by, milestone)
    refuse_while_disputed(milestone)
    _refuse_odd(milestone, amount)
    known = operations.live(Kind.REFUND, milestone=milestone)
    if known and known.amount == amount.minor:
        return Requested(known, created=False)
    if known:
        refuse_during(milestone, Kind.REFUND)
    refuse_during(milestone, Kind.RELEASE)
    deposit = paid_deposit(milestone)
    in_escrow = ledger.available(accounts.escrow(milestone.pk, amount.currency).code)
    release = None if in_escrow >= amount.minor else _release_of(milestone)
    refund = _create(milestone, amount, by, reason, deposit, waits=release is not None)
    if release is None:
        _hold(refund)
    else:
        _ask_back(refund, release, milestone, by)
    return _enqueue(Requested(refund, created=True))


def _refuse_stranger(by: Person, milestone: Milestone) -> None:
    if is_staff(by):
        return
    require_client(by, milestone, to="refund")
    if milestone.status in (MilestoneStatus.DELIVERED, MilestoneStatus.RELEASED):
        raise Refused(
            "refund_needs_staff",
            f"The work was {milestone.status}: open a dispute, and our staff decide about a refund.",
        )


def _refuse_odd(milestone: Milestone, amount: Money) -> None:
    if amount.currency != milestone.project.currency:
        raise Refused("currency_mismatch", f"This milestone is in {milestone.project.currency}, not {amount.currency}.")
    if not amount:
        raise Refused("invalid_amount", "A refund is of 1 minor unit at least.")


def _release_of(milestone: Milestone) -> Operation | None:
    """The release that still has something to take back."""
    done = milestone.operations.filter(kind=Kind.RELEASE, status__in=[Status.TRANSFERRED, Status.PARTLY_REVERSED])
    return done.select_related("payout_account").order_by("-id").first()


def _create(
    milestone: Milestone, amount: Money, by: Person, reason: str, deposit: Operation, *, waits: bool
) -> Operation:
    operation_id = operations.new_id()
    return operations.create(
        operation_id=operation_id,
        kind=Kind.REFUND,
        amount=amount,
        params=params.refund(operation_id, milestone.pk, amount=amount, deposit=deposit),
        milestone=milestone,
        requested_by=by.pk,
        reason=reason,
        status=Status.REVERSING if waits else Status.REQUESTED,
    )


def _hold(refund: Operation) -> None:
    try:
        ledger.hold_refund(refund)
    except InsufficientFunds as error:
        raise Refused(
            "insufficient_funds", f"{error.asked} was asked for, and {error.free} of this milestone is left to refund."
        ) from error


def _ask_back(refund: Operation, release: Operation, milestone: Milestone, by: Person) -> Operation:
    """Hold the freelancer's part, and have it reversed before anything is refunded."""
    amount = Money(refund.amount, refund.currency)
    fee = _fee_back(amount, release, before=reversed_of(milestone, str(release.stripe_id)))
    operation_id = operations.new_id()
    reversal = operations.create(
        operation_id=operation_id,
        kind=Kind.REVERSAL,
        amount=amount,
        fee=fee,
        params=params.reversal(operation_id, milestone.pk, net=amount - fee, release=release),
        milestone=milestone,
        payout_account=release.payout_account,
        parent=refund,
        requested_by=by.pk,
    )
    try:
        ledger.hold_reversal(reversal)
    except InsufficientFunds as error:
        raise Refused(
            "insufficient_funds",
            f"{error.asked} would have to come back from the freelancer, who has {error.free} that is not withdrawn.",
        ) from error
    return reversal


def _fee_back(amount: Money, release: Operation, *, before: int) -> Money:
    """The platform's part of `amount`, when `before` of the release came back already."""
    left = Money(release.amount - before, amount.currency)
    if amount.minor > left.minor:
        raise Refused("insufficient_funds", f"{amount} was asked for, and {left} of this milestone is left to refund.")
    step = currencies.step(amount.currency)
    until, since = (
        fees.share(part, whole=release.amount, fee=release.fee, step=step) for part in (before + amount.minor, before)
    )
    if until - since == amount.minor:
        raise Refused(
            "amount_too_small", f"{amount} is too little to ask back from the freelancer; refund more at once."
        )
    return Money(until - since, amount.currency)


def _enqueue(requested: Requested) -> Requested:
    """A new refund becomes a job, in the same transaction; so does its reversal, for which the refund's waits."""
    for reversal in requested.operation.children.all():
        tasks.enqueue(reversal)
    tasks.enqueue(requested.operation)
    return requested
