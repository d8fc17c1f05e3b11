"""What happens to money, event by event: which account is debited, which credited (payments.md, section 4).

Written Dr → Cr. Assets rise by a debit, liabilities by a credit. Each event of an operation has its own legs
under the operation's id, so telling one twice, or late, changes nothing: each function says whether it was news.
A hold is posted when Stripe's balance moved (its object has a balance transaction), never because a
status sounds final; till then it stays.
"""

from __future__ import annotations

from dataclasses import replace

from payments.ledger import accounts
from payments.ledger.posting import Leg, post
from payments.models import Operation
from payments.models.ledger import Phase
from payments.money import Money
from payments.states import Kind


def deposit_confirmed(deposit: Operation, *, stripe_ref: str) -> bool:
    """stripe:platform → escrow, as much as was received, Stripe's fee not deducted."""
    return _post(deposit, "confirmed", [_gross_in(deposit, stripe_ref)])


def stripe_fee(deposit: Operation, fee: Money, *, stripe_ref: str) -> bool:
    """expense:stripe_fee → stripe:platform: what Stripe kept of a deposit; known later than the deposit."""
    kept = Leg(
        name="fee", debit=accounts.stripe_fees(fee.currency), credit=accounts.platform(fee.currency),
        money=fee, kind="stripe_fee", stripe_ref=stripe_ref,
    )  # fmt: skip
    return _post(deposit, "fee", [kept])


def hold_release(release: Operation) -> bool:
    """Hold escrow → payable (net) and escrow → revenue:fee. Raises InsufficientFunds."""
    return _post(release, "hold", _holds(release))


def post_release(release: Operation, *, stripe_ref: str) -> bool:
    """Both holds become moves; stripe:connected → stripe:platform (net)."""
    moved = Leg(
        name="moved", debit=_connected(release), credit=accounts.platform(release.currency),
        money=_net(release), kind="release", stripe_ref=stripe_ref,
    )  # fmt: skip
    return _post(release, "post", [*_resolved(release, Phase.POST, stripe_ref), moved])


def hold_withdrawal(withdrawal: Operation) -> bool:
    """Hold payable → stripe:connected. Raises InsufficientFunds."""
    return _post(withdrawal, "hold", _holds(withdrawal))


def post_withdrawal(withdrawal: Operation, *, stripe_ref: str) -> bool:
    """The hold becomes a move: the money left the connected account."""
    return _post(withdrawal, "post", _resolved(withdrawal, Phase.POST, stripe_ref))


def return_withdrawal(withdrawal: Operation, *, stripe_ref: str) -> bool:
    """stripe:connected → payable: the bank gave it back, from whatever state."""
    return _post(withdrawal, "return", _returned(withdrawal, stripe_ref))


def hold_refund(refund: Operation) -> bool:
    """Hold escrow → stripe:platform; of a set-aside deposit suspense → stripe:platform. Raises InsufficientFunds."""
    return _post(refund, "hold", _holds(refund))


def post_refund(refund: Operation, *, stripe_ref: str) -> bool:
    """The hold becomes a move: Stripe debited the platform."""
    return _post(refund, "post", _resolved(refund, Phase.POST, stripe_ref))


def return_refund(refund: Operation, *, stripe_ref: str) -> bool:
    """stripe:platform → escrow: the refund failed later, and Stripe gave the money back."""
    return _post(refund, "return", _returned(refund, stripe_ref))


def hold_reversal(reversal: Operation) -> bool:
    """Hold payable → escrow (net). Raises InsufficientFunds when the freelancer has withdrawn it."""
    return _post(reversal, "hold", _holds(reversal))


def post_reversal(reversal: Operation, *, stripe_ref: str) -> bool:
    """The hold becomes a move; stripe:platform → stripe:connected (net); revenue:fee → escrow, the platform's part."""
    currency, back = reversal.currency, accounts.escrow(_milestone(reversal), reversal.currency)
    moved = Leg(
        name="moved", debit=accounts.platform(currency), credit=_connected(reversal),
        money=_net(reversal), kind="reversal", stripe_ref=stripe_ref,
    )  # fmt: skip
    fee = Leg(
        name="fee", debit=accounts.fee_revenue(currency), credit=back, money=_fee(reversal), kind="fee_returned"
    )  # fmt: skip
    return _post(reversal, "post", [*_resolved(reversal, Phase.POST, stripe_ref), moved, fee])


def void_hold(operation: Operation) -> bool:
    """Give back what any kind of operation holds: it was not done and never will be."""
    return _post(operation, "void", _resolved(operation, Phase.VOID, ""))


def _post(operation: Operation, event: str, legs: list[Leg]) -> bool:
    return post(operation.pk, legs, event=event, operation_id=operation.pk)


def _holds(operation: Operation) -> list[Leg]:
    """What the operation holds from its request on."""
    currency, debit, credit = operation.currency, *_direction(operation)
    hold = Leg(
        name="hold", debit=debit, credit=credit, money=_net(operation), kind=operation.kind, phase=Phase.PENDING
    )  # fmt: skip
    if operation.kind != Kind.RELEASE:
        return [hold]
    fee = replace(hold, name="hold:fee", credit=accounts.fee_revenue(currency), money=_fee(operation), kind="fee")
    return [hold, fee]


def _direction(operation: Operation) -> tuple[accounts.Place, accounts.Place]:
    """Between which accounts the held money moves."""
    currency = operation.currency
    if operation.kind == Kind.WITHDRAWAL:
        return _payable(operation), _connected(operation)
    if operation.kind == Kind.REFUND and operation.parent_id:  # of what was set aside, and never was the milestone's
        return accounts.suspense(currency), accounts.platform(currency)
    escrow = accounts.escrow(_milestone(operation), currency)
    if operation.kind == Kind.RELEASE:
        return escrow, _payable(operation)
    if operation.kind == Kind.REVERSAL:
        return _payable(operation), escrow
    return escrow, accounts.platform(currency)


def _resolved(operation: Operation, phase: Phase, stripe_ref: str) -> list[Leg]:
    """The holds, posted or voided."""
    return [
        replace(
            leg, name=leg.name.replace("hold", "resolved", 1), phase=phase, resolves=leg.name, stripe_ref=stripe_ref
        )
        for leg in _holds(operation)
    ]


def _returned(operation: Operation, stripe_ref: str) -> list[Leg]:
    """The held money the other way round, after it had moved."""
    return [
        Leg(
            name="returned", debit=leg.credit, credit=leg.debit, money=leg.money,
            kind=f"{operation.kind}_returned", stripe_ref=stripe_ref,
        )
        for leg in _holds(operation)
    ]  # fmt: skip


def _gross_in(deposit: Operation, stripe_ref: str) -> Leg:
    currency = deposit.currency
    return Leg(
        name="confirmed", debit=accounts.platform(currency), credit=accounts.escrow(_milestone(deposit), currency),
        money=Money(deposit.amount, currency), kind="deposit", stripe_ref=stripe_ref,
    )  # fmt: skip


def _fee(operation: Operation) -> Money:
    return Money(operation.fee, operation.currency)


def _net(operation: Operation) -> Money:
    return Money(operation.amount - operation.fee, operation.currency)


def _milestone(operation: Operation) -> int:
    if operation.milestone_id is None:
        raise ValueError(f"{operation} has no milestone.")
    return operation.milestone_id


def _connected(operation: Operation) -> accounts.Place:
    if operation.payout_account is None:
        raise ValueError(f"{operation} has no payout account.")
    return accounts.connected(operation.payout_account.stripe_account, operation.currency)


def _payable(operation: Operation) -> accounts.Place:
    if operation.payout_account is None:
        raise ValueError(f"{operation} has no payout account.")
    return accounts.payable(operation.payout_account.user_id, operation.currency)
