"""What deciding a dispute would do, said beforehand (pure but for `read`). It follows payments/services/disputes.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from payments import ledger
from payments.disputes import DISPUTED
from payments.ledger import accounts
from payments.models import Dispute, Operation, PayoutAccount
from payments.money import Money, words
from payments.plan import Step, Will, request
from payments.states import Dispatch, Kind, Resolution, Status

AGAINST = {Resolution.RELEASE: (Kind.REFUND, Kind.REVERSAL), Resolution.REFUND: (Kind.RELEASE,)}
"""Unsent operations that a decision goes against."""


@dataclass(frozen=True, kw_only=True)
class Escrow:
    """What a dispute is about. `left` is in escrow and held by nothing."""

    milestone: int
    left: Money
    payee: str = ""
    """The freelancer's account at Stripe."""
    transfer: str = ""
    """What a release has sent already and may be taken back."""
    released: Money | None = None
    parked: Sequence[Operation] = field(default_factory=tuple)
    """What the dispute keeps from being sent."""


def read(dispute: Dispute) -> Escrow:
    """The escrow of a dispute, as it is now."""
    milestone = dispute.milestone
    project = milestone.project
    done = milestone.operations.filter(kind=Kind.RELEASE, status__in=[Status.TRANSFERRED, Status.PARTLY_REVERSED])
    release, account = done.order_by("-id").first(), PayoutAccount.objects.filter(user_id=project.freelancer_id).first()
    left = ledger.available(accounts.escrow(milestone.pk, project.currency).code)
    return Escrow(
        milestone=milestone.pk,
        left=Money(left, project.currency),
        payee=account.stripe_account if account else "",
        transfer=str(release.stripe_id) if release else "",
        released=Money(release.amount, release.currency) if release else None,
        parked=list(milestone.operations.filter(dispatch=Dispatch.PARKED, error_code=DISPUTED).order_by("id")),
    )


def deciding(escrow: Escrow, resolution: Resolution) -> list[Step]:
    """What the decision does, in the order in which it happens."""
    against = [each for each in escrow.parked if each.kind in AGAINST.get(resolution, ())]
    going_on = [each for each in escrow.parked if each not in against]
    steps = [Step(Will.DROPPED, f"{request(each)}: given up; its hold is given back.") for each in against]
    steps += [Step(Will.SENT, f"{request(each)}: it was waiting for the dispute to end.") for each in going_on]
    free = sum((each.amount for each in against if _of_escrow(each)), escrow.left.minor)
    if resolution == Resolution.RELEASE:
        steps += _release(escrow, Money(free, escrow.left.currency), going_on)
    elif resolution == Resolution.REFUND:
        steps += _refund(escrow, Money(free, escrow.left.currency))
    elif not going_on:
        steps.append(Step(Will.STAYS, "Nothing is sent."))
    return [
        *steps,
        Step(Will.STAYS, f"Milestone {escrow.milestone} is no longer frozen, unless another dispute is open."),
    ]


def _release(escrow: Escrow, free: Money, going_on: Sequence[Operation]) -> Iterator[Step]:
    if any(each.kind == Kind.RELEASE for each in going_on):
        return
    if not free:
        yield Step(Will.SKIPPED, "Nothing is left in escrow: what was released stays released.")
        return
    shown = words(free, "en")
    yield Step(Will.SENT, f"POST /v1/transfers of {shown}, less the platform's fee, to {escrow.payee or 'no account'}.")
    yield Step(Will.BOOKED, f"{shown} is held now, and leaves the escrow when Stripe has the transfer.")


def _refund(escrow: Escrow, free: Money) -> Iterator[Step]:
    money = free or escrow.released
    if not money:
        yield Step(Will.SKIPPED, "Nothing is left to refund.")
        return
    shown = words(money, "en")
    if not free:
        yield Step(Will.SENT, f"POST /v1/transfers/{escrow.transfer}/reversals: first the freelancer's part of it.")
    yield Step(Will.SENT, f"POST /v1/refunds of {shown} to the client's card.")
    yield Step(Will.BOOKED, f"{shown} is held now, and leaves the escrow when Stripe has debited the platform.")


def _of_escrow(operation: Operation) -> bool:
    """Whether its hold lies on the milestone's escrow."""
    return operation.kind in (Kind.RELEASE, Kind.REFUND) and operation.status != Status.REVERSING
