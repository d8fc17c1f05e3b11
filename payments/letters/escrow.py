"""A milestone is paid for, delivered, released or refunded: both parties hear what it means for them."""

from __future__ import annotations

from typing import Any

from notifications.direction import isolated
from payments import ledger
from payments.ledger import accounts
from payments.letters.posting import Letter, beside_the_books, post
from payments.letters.readers import Reader, parties
from payments.models import Milestone, Operation
from payments.money import Money
from payments.states import Kind


@beside_the_books
def deposit_confirmed(deposit: Operation) -> None:
    """The client has a confirmation; the freelancer may start."""
    milestone, amount = _milestone(deposit), Money(deposit.amount, deposit.currency)
    client, freelancer = parties(milestone)
    paid = _dated(deposit, client) | {"transaction_id": str(deposit.stripe_id)}
    post(
        f"funded:{deposit.pk}",
        _letter(client, "payment_confirmation", milestone, amount=amount, **paid),
        _letter(freelancer, "milestone_notification", milestone, amount=amount, milestone_status="funded"),
    )


@beside_the_books
def milestone_delivered(milestone: Milestone) -> None:
    """The client is asked to look at the work and to approve it."""
    client, _ = parties(milestone)
    amount = Money(milestone.amount, milestone.project.currency)
    asked = _letter(client, "milestone_notification", milestone, amount=amount, milestone_status="submitted")
    post(f"delivered:{milestone.pk}", asked)


@beside_the_books
def released(release: Operation) -> None:
    """The freelancer was paid; the client has a receipt."""
    milestone = _milestone(release)
    gross, fee = Money(release.amount, release.currency), Money(release.fee, release.currency)
    client, freelancer = parties(milestone)
    parts = {"gross": freelancer.money(gross), "fee": freelancer.money(fee) if fee else ""}
    post(
        f"released:{release.pk}",
        _letter(client, "payment_released", milestone, amount=gross, **_dated(release, client)),
        _letter(freelancer, "payment_released", milestone, amount=gross - fee, **parts, **_dated(release, freelancer)),
    )


@beside_the_books
def refunded(refund: Operation) -> None:
    """Stripe has sent the client's money back; the freelancer hears what that takes from them."""
    milestone, amount = _milestone(refund), Money(refund.amount, refund.currency)
    left = Money(ledger.balance(accounts.escrow(milestone.pk, refund.currency).code), refund.currency)
    reversal = refund.children.filter(kind=Kind.REVERSAL, booked_at__isnull=False).first()
    back = Money(reversal.amount - reversal.fee, refund.currency) if reversal else None

    def told(reader: Reader, **more: str) -> Letter:
        rest = {"left": reader.money(left) if left else ""}
        return _letter(reader, "payment_refunded", milestone, amount=amount, **rest, **_dated(refund, reader), **more)

    client, freelancer = parties(milestone)
    letters = [told(client)]
    if refund.parent_id is None:  # else it was money set aside, of which the freelancer never heard
        letters.append(told(freelancer, taken_back=freelancer.money(back) if back else ""))
    post(f"refunded:{refund.pk}", *letters)


@beside_the_books
def refund_failed(refund: Operation, *, was_told: bool) -> None:
    """The client's money did not get there. The freelancer hears of it if they were told of the refund (`was_told`)."""
    milestone, amount = _milestone(refund), Money(refund.amount, refund.currency)
    readers = parties(milestone) if was_told and refund.parent_id is None else parties(milestone)[:1]
    post(
        f"refund_failed:{refund.pk}",
        *(_letter(reader, "refund_failed", milestone, amount=amount) for reader in readers),
    )


def _letter(reader: Reader, template: str, milestone: Milestone, *, amount: Money, **more: Any) -> Letter:
    """Every letter about a milestone names it, its project, the other party and an amount."""
    return Letter(
        reader,
        template,
        {
            "milestone_title": isolated(milestone.title),
            "project_title": isolated(milestone.project.title),
            "role": reader.role,
            "counterpart": reader.counterpart,
            "amount": reader.money(amount),
            **more,
        },
    )


def _dated(operation: Operation, reader: Reader) -> dict[str, str]:
    """The day on which its money moved."""
    if operation.booked_at is None:
        raise ValueError(f"{operation} has moved no money yet, so nobody is told that it has.")
    return {"date": reader.day(operation.booked_at)}


def _milestone(operation: Operation) -> Milestone:
    if operation.milestone is None:
        raise ValueError(f"{operation} has no milestone.")
    return operation.milestone
