"""The client's bank objects to a charge, takes the money, and gives it back or does not."""

from __future__ import annotations

from datetime import datetime

from payments import disputes, ledger, locks, milestones, operations
from payments.facts import BankDispute, StripeDispute
from payments.ledger import accounts
from payments.models import Dispute, Milestone, Operation
from payments.money import Money
from payments.outcomes.contradictions import Contradiction, TooEarly
from payments.states import WITH_MONEY, DisputeStatus, Kind, MilestoneStatus, Status
from payments.transactions import transactional


@transactional
def dispute_seen(found: StripeDispute, *, now: datetime) -> bool:
    """A Stripe dispute as it is now; its milestone is frozen from the first word of it on.

    Money moves only with a balance transaction: an inquiry moves none. Raises TooEarly when no deposit with
    this charge is known yet, Contradiction.
    """
    deposit = _deposit(found)
    milestone = deposit.milestone
    if milestone is None:
        raise Contradiction(f"{deposit} has no milestone.")
    dispute, news = disputes.open_at_stripe(milestone, stripe_id=found.id, reason=found.reason)
    if found.withdrawn:
        news = _withdraw(found, deposit) or news
    if dispute.status != DisputeStatus.OPEN:  # decided: an old event does not open it again
        return news
    operations.advance_status(deposit, Status.DISPUTED)
    if found.state == BankDispute.WON:
        return _won(found, dispute, deposit, now) or news
    if found.state == BankDispute.LOST:
        return _lost(found, dispute, deposit, milestone, now) or news
    return news


def _deposit(found: StripeDispute) -> Operation:
    deposit = Operation.objects.filter(kind=Kind.DEPOSIT, charge=found.charge).first()
    if deposit is None:
        raise TooEarly(f"No deposit with the charge {found.charge} is known yet.")
    if deposit.currency != found.amount.currency:
        raise Contradiction(f"{found.id} is in {found.amount.currency}, {deposit} in {deposit.currency}.")
    return locks.operation(deposit.pk)


def _withdraw(found: StripeDispute, deposit: Operation) -> bool:
    return ledger.dispute_withdrawn(
        found.id, found.amount, found.fee, operation_id=deposit.pk, stripe_ref=found.withdrawn
    )  # fmt: skip


def _won(found: StripeDispute, dispute: Dispute, deposit: Operation, now: datetime) -> bool:
    """The money stays held. Where the bank took it, the milestone stays frozen until it is back."""
    if found.withdrawn and not found.reinstated:
        return False
    if found.withdrawn:
        ledger.dispute_won(found.id, found.amount, operation_id=deposit.pk, stripe_ref=found.reinstated)
    operations.advance_status(deposit, Status.HELD)
    return disputes.close_at_stripe(dispute, status=DisputeStatus.WON, now=now)


def _lost(found: StripeDispute, dispute: Dispute, deposit: Operation, milestone: Milestone, now: datetime) -> bool:
    """The client has the money back from the bank: what is still held is no longer owed, the rest is our loss."""
    disputes.give_up_parked(milestone, kinds=operations.MONEY_OUT, why="The client's bank took the money back.")
    if found.withdrawn:
        escrow = accounts.escrow(milestone.pk, deposit.currency).code
        held = Money(min(ledger.available(escrow), found.amount.minor), deposit.currency)
        ledger.dispute_lost(
            found.id, milestone.pk, held=held, gone=found.amount - held, operation_id=deposit.pk
        )  # fmt: skip
        operations.advance_status(deposit, Status.LOST)
        if ledger.balance(escrow) == 0 and milestones.standing(milestone) in WITH_MONEY:
            milestones.move(milestone, MilestoneStatus.LOST, now=now)
    else:
        operations.advance_status(deposit, Status.HELD)
    return disputes.close_at_stripe(dispute, status=DisputeStatus.LOST, now=now)
