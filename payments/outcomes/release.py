"""The freelancer was paid."""

from __future__ import annotations

import uuid
from datetime import datetime

from payments import ledger, letters, locks, milestones, operations, paper
from payments.facts import StripeTransfer
from payments.outcomes.contradictions import Contradiction, require_fit
from payments.states import Kind, MilestoneStatus, Status
from payments.transactions import transactional


@transactional
def release_seen(operation_id: uuid.UUID, transfer: StripeTransfer, *, now: datetime) -> bool:
    """A transfer exists: the money is in the freelancer's connected account, and theirs to withdraw.

    Also while the milestone is disputed: it was under way already. Raises Contradiction.
    """
    release = locks.operation(operation_id)
    require_fit(release, kind=Kind.RELEASE, stripe_id=transfer.id, amount=transfer.amount)
    if transfer.destination != release.params["destination"]:
        raise Contradiction(f"{transfer.id} went to {transfer.destination}, not {release.params['destination']}.")
    if not operations.confirm(release, stripe_id=transfer.id, status=Status.TRANSFERRED, now=now):
        return False
    operations.book(release, now=now)
    ledger.post_release(release, stripe_ref=transfer.balance_transaction)
    if release.milestone is not None:
        milestones.move(release.milestone, MilestoneStatus.RELEASED, now=now)
    letters.released(release)
    paper.released(release, now=now)
    return True
