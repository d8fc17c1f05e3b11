"""The client approves: the freelancer is to be paid."""

from __future__ import annotations

from payments import fees, ledger, locks, operations, params, tasks
from payments.ledger import accounts
from payments.models import Milestone, Operation, PayoutAccount
from payments.models.account import PayoutStatus
from payments.money import Money
from payments.refusals import Refused
from payments.roles import Person, is_staff, require_client
from payments.services.requested import Requested, paid_deposit, refuse_during, refuse_while_disputed
from payments.states import WITH_MONEY, Kind, MilestoneStatus
from payments.transactions import transactional


@transactional
def request_release(milestone_id: int, *, by: Person, reason: str = "") -> Requested:
    """Hold all that is left in the milestone's escrow for its freelancer, less the platform's fee.

    Approving again returns the release there is, also when it is done. By the client, or by staff
    (after a dispute). Raises Refused: no_such_milestone, not_your_milestone, milestone_disputed, not_funded,
    already_refunded, refund_in_progress, payout_account_missing, payout_account_not_ready, nothing_to_release.
    """
    milestone = locks.milestone(milestone_id)
    if not is_staff(by):
        require_client(by, milestone, to="release")
    refuse_while_disputed(milestone)
    known = operations.live(Kind.RELEASE, milestone=milestone) or _done(milestone)
    if known:
        return Requested(known, created=False)
    _refuse_unless_held(milestone)
    refuse_during(milestone, Kind.REFUND)
    return _enqueue(Requested(_create(milestone, by, reason), created=True))


def _done(milestone: Milestone) -> Operation | None:
    """The release that paid this milestone."""
    if milestone.status != MilestoneStatus.RELEASED:
        return None
    done = milestone.operations.filter(kind=Kind.RELEASE, booked_at__isnull=False)
    return done.select_related("payout_account").order_by("-id").first()


def _refuse_unless_held(milestone: Milestone) -> None:
    if milestone.status in WITH_MONEY:
        return
    if milestone.status in (MilestoneStatus.REFUNDED, MilestoneStatus.LOST):
        raise Refused("already_refunded", "The money of this milestone went back to the client.")
    raise Refused("not_funded", "No money was paid for this milestone yet.")


def _create(milestone: Milestone, by: Person, reason: str) -> Operation:
    currency = milestone.project.currency
    account, deposit = _payee(milestone), paid_deposit(milestone)
    gross = Money(ledger.available(accounts.escrow(milestone.pk, currency).code), currency)
    if not gross:
        raise Refused("nothing_to_release", "Nothing is left of this milestone's money.")
    fee, net = fees.split(gross)
    operation_id = operations.new_id()
    release = operations.create(
        operation_id=operation_id,
        kind=Kind.RELEASE,
        amount=gross,
        fee=fee,
        params=params.release(operation_id, milestone, net=net, charge=deposit.charge, to=account),
        milestone=milestone,
        payout_account=account,
        requested_by=by.pk,
        reason=reason,
    )
    ledger.hold_release(release)
    return release


def _payee(milestone: Milestone) -> PayoutAccount:
    account = PayoutAccount.objects.filter(user_id=milestone.project.freelancer_id).first()
    if account is None:
        raise Refused(
            "payout_account_missing",
            "The freelancer has not connected an account yet; the money stays held until then.",
        )
    if account.status != PayoutStatus.ACTIVE or not account.transfers_enabled:
        raise Refused(
            "payout_account_not_ready",
            f"Stripe does not pay into the freelancer's account yet (it is {account.status}); the money stays held.",
        )
    return account


def _enqueue(requested: Requested) -> Requested:
    """The one place where a new release becomes a job, in the same transaction."""
    tasks.enqueue(requested.operation)
    return requested
