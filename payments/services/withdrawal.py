"""A freelancer takes money to the bank."""

from __future__ import annotations

from payments import currencies, ledger, locks, operations, params, tasks
from payments.ledger import InsufficientFunds
from payments.models import Operation, PayoutAccount
from payments.models.account import PayoutStatus
from payments.money import Money
from payments.refusals import Refused
from payments.roles import Person
from payments.services.requested import Requested
from payments.states import Kind
from payments.transactions import transactional


@transactional
def request_withdrawal(*, by: Person, amount: Money, reason: str = "") -> Requested:
    """Hold `amount` of what the freelancer may withdraw, for one payout to their bank.

    Asking for the same amount again before Stripe has it returns the same operation. Raises Refused:
    invalid_amount, payout_account_missing, payout_account_not_ready, withdrawal_in_progress, insufficient_funds.
    """
    account = locks.payout_account(_account_of(by).pk)
    _refuse_odd(amount)
    known = operations.live(Kind.WITHDRAWAL, payout_account=account, currency=amount.currency)
    if known and known.amount == amount.minor:
        return Requested(known, created=False)
    if known:
        raise Refused(
            "withdrawal_in_progress",
            f"A withdrawal of {Money(known.amount, known.currency)} is under way; ask again when the bank has it.",
        )
    _refuse_unready(account)
    return _enqueue(Requested(_create(account, amount, by, reason), created=True))


def _account_of(by: Person) -> PayoutAccount:
    account = PayoutAccount.objects.filter(user_id=by.pk).first()
    if account is None:
        raise Refused("payout_account_missing", "Connect an account first: there is nowhere to pay out to.")
    return account


def _refuse_odd(amount: Money) -> None:
    if not amount:
        raise Refused("invalid_amount", "A withdrawal is of 1 minor unit at least.")
    step = currencies.payout_step(amount.currency)
    if amount.minor % step:
        raise Refused("invalid_amount", f"Banks take {amount.currency} in steps of {Money(step, amount.currency)}.")


def _refuse_unready(account: PayoutAccount) -> None:
    if account.status != PayoutStatus.ACTIVE or not account.payouts_enabled:
        raise Refused(
            "payout_account_not_ready",
            f"Stripe does not pay out from your account yet (it is {account.status}). Finish its onboarding first.",
        )


def _create(account: PayoutAccount, amount: Money, by: Person, reason: str) -> Operation:
    operation_id = operations.new_id()
    withdrawal = operations.create(
        operation_id=operation_id,
        kind=Kind.WITHDRAWAL,
        amount=amount,
        params=params.withdrawal(operation_id, amount),
        payout_account=account,
        requested_by=by.pk,
        reason=reason,
    )
    try:
        ledger.hold_withdrawal(withdrawal)
    except InsufficientFunds as error:
        raise Refused(
            "insufficient_funds", f"You asked for {error.asked}, and {error.free} is yours to withdraw."
        ) from error
    return withdrawal


def _enqueue(requested: Requested) -> Requested:
    """The one place where a new withdrawal becomes a job, in the same transaction."""
    tasks.enqueue(requested.operation)
    return requested
