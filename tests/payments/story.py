"""A client, a freelancer and their milestone, and what Stripe says about them."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from contralock.accounts.models import User
from payments import ledger, operations, outcomes, services
from payments.facts import (
    BankDispute,
    Payment,
    PaymentState,
    PayoutState,
    RefundState,
    StripeDispute,
    StripePayout,
    StripeRefund,
    StripeReversal,
    StripeTransfer,
)
from payments.ledger import accounts
from payments.models import Milestone, Operation, PayoutAccount, Project
from payments.money import Money
from payments.refusals import Refused
from payments.states import Status

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_number = itertools.count(1)


def usd(minor: int) -> Money:
    """Cents."""
    return Money(minor, "usd")


def user(role: str) -> User:
    """An account of this role."""
    return User.objects.create_user(email=f"{role}{next(_number)}-{uuid.uuid4().hex[:8]}@example.com", role=role)


@dataclass
class Escrow:
    """One milestone with everybody around it."""

    milestone: Milestone
    client: User
    freelancer: User
    staff: User
    account: PayoutAccount

    def fresh(self) -> Milestone:
        """As it is now."""
        return Milestone.objects.get(pk=self.milestone.pk)

    def held(self) -> int:
        """What is in escrow, holds not counted."""
        return ledger.balance(accounts.escrow(self.milestone.pk, "usd").code)

    def free(self) -> int:
        """What is in escrow and not held."""
        return ledger.available(accounts.escrow(self.milestone.pk, "usd").code)

    def payable(self) -> int:
        """What the freelancer may withdraw."""
        return ledger.available(accounts.payable(self.freelancer.pk, "usd").code)

    def deposit(self) -> Operation:
        """Ask for the deposit."""
        return services.request_deposit(self.milestone.pk, by=self.client).operation

    def funded(self) -> Escrow:
        """Pay, and say so."""
        deposit = self.deposit()
        outcomes.deposit_seen(deposit.pk, payment(deposit), livemode=False, now=NOW)
        return self

    def delivered(self) -> Escrow:
        """The work is done."""
        self.funded()
        services.deliver(self.milestone.pk, by=self.freelancer)
        return self

    def release(self) -> Operation:
        """Approve."""
        return services.request_release(self.milestone.pk, by=self.client).operation

    def released(self) -> Escrow:
        """Approve, and let Stripe transfer."""
        self.delivered()
        release = self.release()
        outcomes.release_seen(release.pk, transfer(release), now=NOW)
        return self

    def refund(self, minor: int, by: User | None = None) -> Operation:
        """Ask for a refund, as staff."""
        return services.request_refund(
            self.milestone.pk, amount=usd(minor), by=by or self.staff, reason="not as agreed"
        ).operation

    def withdraw(self, minor: int) -> Operation:
        """Ask for a payout."""
        return services.request_withdrawal(by=self.freelancer, amount=usd(minor)).operation


def escrow(amount: int = 10_000, *, currency: str = "usd") -> Escrow:
    """A milestone that is a draft; its freelancer has an account at Stripe."""
    client, freelancer, staff = user("client"), user("freelancer"), user("staff")
    account = PayoutAccount.objects.create(
        user=freelancer, stripe_account=f"acct_{freelancer.pk}", status="active",
        transfers_enabled=True, payouts_enabled=True,
    )  # fmt: skip
    project = Project.objects.create(client=client, freelancer=freelancer, title="A bridge", currency=currency)
    milestone = Milestone.objects.create(project=project, title="Its plan", amount=amount)
    return Escrow(milestone, client, freelancer, staff, account)


def fresh(operation: Operation) -> Operation:
    """As it is now."""
    return Operation.objects.select_related("payout_account", "milestone").get(pk=operation.pk)


def payment(deposit: Operation, state: PaymentState = PaymentState.SUCCEEDED, **other: Any) -> Payment:
    """Its PaymentIntent."""
    facts: dict[str, Any] = {
        "id": f"pi_{deposit.pk}", "state": state, "livemode": False, "milestone_id": str(deposit.milestone_id),
    }  # fmt: skip
    if state == PaymentState.SUCCEEDED:
        facts |= {"received": Money(deposit.amount, deposit.currency), "charge": f"ch_{deposit.pk}"}
    return Payment(**(facts | other))


def net(operation: Operation) -> Money:
    """What Stripe moves for it."""
    return Money(operation.amount - operation.fee, operation.currency)


def transfer(release: Operation) -> StripeTransfer:
    """Its transfer."""
    return StripeTransfer(
        id=f"tr_{release.pk}", amount=net(release), destination=release.params["destination"],
        balance_transaction=f"txn_{release.pk}",
    )  # fmt: skip


def reversal_of(reversal: Operation) -> StripeReversal:
    """Its reversal."""
    return StripeReversal(
        id=f"trr_{reversal.pk}", amount=net(reversal), transfer=reversal.params["transfer"],
        balance_transaction=f"txn_{reversal.pk}",
    )  # fmt: skip


def payout(withdrawal: Operation, state: PayoutState, *, back: str = "", moved: bool = True) -> StripePayout:
    """Its payout; `back` is the transaction by which a failed one came back."""
    return StripePayout(
        id=f"po_{withdrawal.pk}", state=state, amount=net(withdrawal), failure_balance_transaction=back,
        balance_transaction=f"txn_{withdrawal.pk}" if moved else "",
    )  # fmt: skip


def refund_of(refund: Operation, state: RefundState, *, back: str = "", moved: bool = True) -> StripeRefund:
    """Its refund; `back` is the transaction by which a failed one came back."""
    return StripeRefund(
        id=f"re_{refund.pk}", state=state, amount=net(refund), failure_balance_transaction=back,
        balance_transaction=f"txn_{refund.pk}" if moved else "",
    )  # fmt: skip


def objection(
    deposit: Operation, state: BankDispute = BankDispute.OPEN, *, withdrawn: bool = True, reinstated: bool = False
) -> StripeDispute:
    """The bank's dispute about its charge."""
    return StripeDispute(
        id=f"dp_{deposit.pk}", charge=deposit.charge, state=state, reason="fraudulent", amount=usd(deposit.amount),
        fee=usd(1500), withdrawn="txn_w" if withdrawn else "", reinstated="txn_r" if reinstated else "",
    )  # fmt: skip


def deposit_of(story: Escrow) -> Operation:
    """Its deposit."""
    return Operation.objects.get(milestone=story.milestone, kind="deposit")


def finish_refund(refund: Operation) -> None:
    """Whatever a refund needs, up to its end."""
    for reversal in refund.children.all():
        outcomes.reversal_seen(reversal.pk, reversal_of(reversal), now=NOW)
    outcomes.refund_seen(refund.pk, refund_of(refund, RefundState.SUCCEEDED), now=NOW)
    assert fresh(refund).status == Status.REFUNDED


def sent(operation: Operation) -> Operation:
    """Its request is out."""
    assert operations.mark_sent(operation, now=NOW)
    return operation


def refused(call: Callable[[], object]) -> str:
    """The code that this is refused with."""
    try:
        call()
    except Refused as refusal:
        return refusal.code if refusal.sentence.endswith(".") else f"no sentence: {refusal.sentence}"
    raise AssertionError("it was not refused")


def at_once[T](*calls: Callable[[], T], threads: int | None = None) -> list[T]:
    """Make these calls at the same moment, each in a thread with a connection of its own; what they returned."""
    width = threads or len(calls)
    barrier = threading.Barrier(width)
    waited = threading.local()

    def make(call: Callable[[], T]) -> T:
        if not hasattr(waited, "once"):
            waited.once = barrier.wait(60)
        return call()

    def leave() -> None:
        barrier.wait(60)
        connection.close()

    with ThreadPoolExecutor(width) as pool:
        try:
            return list(pool.map(make, calls))
        finally:
            list(pool.map(lambda _: leave(), range(width)))


def or_refusal[T](call: Callable[[], T]) -> Callable[[], T | str]:
    """The call, or the code that it is refused with."""

    def make() -> T | str:
        try:
            return call()
        except Refused as refusal:
            return refusal.code

    return make
