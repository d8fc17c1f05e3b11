"""Somebody objects, and staff decide."""

from __future__ import annotations

from typing import NamedTuple

from jobs.database import now
from payments import disputes, ledger, locks
from payments.ledger import accounts
from payments.models import Dispute, Milestone, Operation
from payments.money import Money
from payments.refusals import Refused
from payments.roles import Person, is_client, is_freelancer, is_staff
from payments.services.refund import request_refund
from payments.services.release import request_release
from payments.states import DisputeStatus, MilestoneStatus, Resolution
from payments.transactions import transactional


class Resolved(NamedTuple):
    """The dispute, and the operation that carries out what was decided, if there is one."""

    dispute: Dispute
    operation: Operation | None


@transactional
def open_dispute(milestone_id: int, *, by: Person, reason: str) -> tuple[Dispute, bool]:
    """Freeze the milestone; with whether this made the dispute. Objecting again returns the one that is open.

    Raises Refused: no_such_milestone, not_your_milestone, reason_missing, not_funded.
    """
    milestone = locks.milestone(milestone_id)
    if not (is_client(by, milestone) or is_freelancer(by, milestone) or is_staff(by)):
        raise Refused("not_your_milestone", "Only the client, the freelancer or our staff may dispute this milestone.")
    _require_reason(reason)
    known = milestone.disputes.filter(status=DisputeStatus.OPEN, stripe_id__isnull=True).first()
    if known:
        return known, False
    if milestone.status in (MilestoneStatus.DRAFT, MilestoneStatus.FUNDING):
        raise Refused("not_funded", "No money was paid for this milestone yet, so there is nothing to dispute.")
    if milestone.status == MilestoneStatus.LOST:
        raise Refused("already_refunded", "The client's bank took the money of this milestone back.")
    return disputes.open_here(milestone, by=by.pk, reason=reason.strip()), True


@transactional
def resolve_dispute(dispute_id: int, *, by: Person, resolution: str, reason: str) -> Resolved:
    """Decide a dispute: release to the freelancer, refund the client, or dismiss it as if it had not been.

    The release or refund of all that is left is asked for in the same transaction, so a decision that
    cannot be carried out is not taken. Raises Refused: staff_only, no_such_dispute, invalid_resolution, reason_missing,
    already_resolved, dispute_at_bank, and what request_release and request_refund raise.
    """
    if not is_staff(by):
        raise Refused("staff_only", "Only our staff decide disputes.")
    if resolution not in Resolution.values:
        raise Refused("invalid_resolution", f"A dispute ends as one of {', '.join(Resolution.values)}.")
    _require_reason(reason)
    dispute = _locked(dispute_id)
    if dispute.stripe_id:
        raise Refused("dispute_at_bank", "This dispute is decided by the client's bank. Answer it at Stripe.")
    decision = Resolution(resolution)
    if not disputes.resolve(dispute, by=by.pk, resolution=decision, reason=reason.strip(), now=now()):
        raise Refused("already_resolved", f"This dispute is {dispute.status} already.")
    return Resolved(dispute, _carry_out(dispute.milestone, decision, by, reason.strip()))


def _locked(dispute_id: int) -> Dispute:
    milestone_id = Dispute.objects.filter(pk=dispute_id).values_list("milestone_id", flat=True).first()
    if milestone_id is None:
        raise Refused("no_such_dispute", "There is no such dispute.")
    milestone = locks.milestone(milestone_id)
    dispute = Dispute.objects.get(pk=dispute_id)
    dispute.milestone = milestone
    return dispute


def _carry_out(milestone: Milestone, decision: Resolution, by: Person, reason: str) -> Operation | None:
    if decision == Resolution.RELEASE:
        return request_release(milestone.pk, by=by, reason=reason).operation
    if decision == Resolution.REFUND:
        return request_refund(milestone.pk, amount=_all_of(milestone), by=by, reason=reason).operation
    return None


def _all_of(milestone: Milestone) -> Money:
    """What is held for the milestone; after its release, what was released."""
    currency = milestone.project.currency
    held = ledger.available(accounts.escrow(milestone.pk, currency).code)
    return Money(held, currency) if held else Money(milestone.amount, currency)


def _require_reason(reason: object) -> None:
    if not isinstance(reason, str) or not reason.strip() or "\0" in reason:
        raise Refused("reason_missing", "Say why: the others will ask.")
