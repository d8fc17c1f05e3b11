"""The freelancer's part came back, and the refund may begin."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Sum

from payments import ledger, locks, milestones, operations, paper
from payments.facts import StripeReversal
from payments.models import Milestone
from payments.outcomes.contradictions import Contradiction, require_fit
from payments.states import Kind, MilestoneStatus, Status
from payments.transactions import transactional


@transactional
def reversal_seen(operation_id: uuid.UUID, found: StripeReversal, *, now: datetime) -> bool:
    """A reversal exists: the refund that it was made for holds its money now, and may be sent. Raises Contradiction."""
    reversal = locks.operation(operation_id)
    require_fit(reversal, kind=Kind.REVERSAL, stripe_id=found.id, amount=found.amount)
    if found.transfer != reversal.params["transfer"]:
        raise Contradiction(f"{found.id} reversed {found.transfer}, not {reversal.params['transfer']}.")
    if not operations.confirm(reversal, stripe_id=found.id, status=Status.REVERSED, now=now):
        return False
    operations.book(reversal, now=now)
    ledger.post_reversal(reversal, stripe_ref=found.balance_transaction)
    if reversal.milestone is not None:
        _mark_release(reversal.milestone, found.transfer, now)
    refund = locks.parent(reversal)
    if operations.advance_status(refund, Status.REQUESTED):  # not when a dispute was decided against it meanwhile
        ledger.hold_refund(refund)
    paper.taken_back(reversal, now=now)
    return True


def _mark_release(milestone: Milestone, transfer: str, now: datetime) -> None:
    """Say of the release how much of it is left; with nothing left the milestone is not released any more."""
    release = milestone.operations.get(stripe_id=transfer)
    back = reversed_of(milestone, transfer)
    whole = back == release.amount
    operations.advance_status(release, Status.FULLY_REVERSED if whole else Status.PARTLY_REVERSED)
    if whole and milestones.standing(milestone) == MilestoneStatus.RELEASED:
        milestones.back_to_work(milestone, now=now)


def reversed_of(milestone: Milestone, transfer: str) -> int:
    """How much of a transfer was taken back, the platform's part included, in minor units."""
    done = milestone.operations.filter(kind=Kind.REVERSAL, params__transfer=transfer, booked_at__isnull=False)
    return int(done.aggregate(total=Sum("amount"))["total"] or 0)
