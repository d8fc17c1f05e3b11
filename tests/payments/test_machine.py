"""Anything anybody may do with two milestones of one freelancer, in any order: the books stay right."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from payments import audit, operations, outcomes, services
from payments.facts import BankDispute, PaymentState, PayoutState, RefundState, StripeDispute
from payments.models import Dispute, Operation, PayoutAccount
from payments.money import Money
from payments.outcomes import Contradiction
from payments.refusals import Refused
from payments.states import Dispatch, Kind
from tests.payments.story import (
    NOW,
    Escrow,
    escrow,
    fresh,
    net,
    objection,
    payment,
    payout,
    refund_of,
    reversal_of,
    transfer,
    usd,
)

PICK = st.integers(0, 50)
PAYOUTS = [PayoutState.PENDING, PayoutState.IN_TRANSIT, PayoutState.PAID, PayoutState.FAILED]
REFUNDS = [RefundState.PENDING, RefundState.SUCCEEDED, RefundState.FAILED]


@dataclass
class Object:
    """What Stripe has of an operation: how far it got, and whether anybody heard of it."""

    operation: Operation
    state: int = 0


class Stripe:
    """Stripe's side: what was done, and what that did to the platform's balance."""

    def __init__(self) -> None:
        self.done: dict[Any, Object] = {}
        self.objections: dict[Any, StripeDispute] = {}

    def do(self, operation: Operation) -> bool:
        """The request arrives, perhaps again: done once."""
        return self.done.setdefault(operation.pk, Object(operation)).operation == operation

    def platform(self) -> int:
        """The platform's balance, in cents."""
        moved = 0
        for found in self.done.values():
            operation, amount = found.operation, net(found.operation).minor
            moved += {
                Kind.DEPOSIT: amount if found.state == 1 else 0,
                Kind.RELEASE: -amount,
                Kind.REVERSAL: amount,
                Kind.REFUND: 0 if found.state == 2 else -amount,
                Kind.WITHDRAWAL: 0,
            }[Kind(operation.kind)]
        for dispute in self.objections.values():
            moved -= dispute.fee.minor + (0 if dispute.reinstated else dispute.amount.minor)
        return moved


class Books(RuleBasedStateMachine):
    """Clients, a freelancer, staff, Stripe, and messages that come late, twice, or never."""

    @initialize(begun=st.sampled_from(["draft", "funded", "delivered", "released"]))
    def begin(self, begun: str) -> None:
        self.example = transaction.atomic()  # taken back at its end
        self.example.__enter__()
        self.stripe = Stripe()
        first, second = escrow(10_000), escrow(7_501)
        second.milestone.project.freelancer = first.freelancer
        second.milestone.project.save()
        PayoutAccount.objects.filter(pk=second.account.pk).delete()
        self.stories = [first, replace(second, freelancer=first.freelancer, account=first.account)]
        for story in self.stories:
            if begun != "draft":
                self.pay_and_hear(story)
            if begun in ("delivered", "released"):
                services.deliver(story.milestone.pk, by=story.freelancer)
        if begun == "released":
            self.through(first.release())

    def pay_and_hear(self, story: Escrow) -> None:
        deposit = story.deposit()
        self.stripe.do(deposit)
        self.stripe.done[deposit.pk].state = 1
        self.told(self.stripe.done[deposit.pk], 1)

    def through(self, operation: Operation) -> bool:
        """Send it, let Stripe do it, and hear that it did."""
        if not operations.mark_sent(operation, now=NOW):
            return False
        assert not operations.is_frozen(operation)
        self.stripe.do(operation)
        self.told(self.stripe.done[operation.pk], self.stripe.done[operation.pk].state)
        return True

    def ours(self, **columns: Any) -> list[Operation]:
        mine = Operation.objects.select_related("payout_account", "milestone").order_by("id")
        return list(mine.filter(requested_by__in=[s.pk for one in self.stories for s in self.people(one)], **columns))

    def people(self, story: Escrow) -> list[Any]:
        return [story.client, story.freelancer, story.staff]

    def story(self, pick: int) -> Escrow:
        return self.stories[pick % 2]

    def try_to(self, call: Callable[[], object]) -> None:
        with suppress(Refused):
            call()

    # ------------------------------------------------------------ people
    @rule(pick=PICK)
    def pay(self, pick: int) -> None:
        self.try_to(self.story(pick).deposit)

    @rule(pick=PICK)
    def deliver(self, pick: int) -> None:
        story = self.story(pick)
        self.try_to(lambda: services.deliver(story.milestone.pk, by=story.freelancer))

    @rule(pick=PICK)
    def approve(self, pick: int) -> None:
        self.try_to(self.story(pick).release)

    @rule(pick=PICK, minor=st.integers(1, 11_000))
    def refund(self, pick: int, minor: int) -> None:
        self.try_to(lambda: self.story(pick).refund(minor))

    @rule(pick=PICK)
    def refund_all(self, pick: int) -> None:
        story = self.story(pick)
        self.try_to(lambda: story.refund(story.free() or story.milestone.amount))

    @rule(pick=PICK, minor=st.integers(1, 11_000))
    def refund_and_hear(self, pick: int, minor: int) -> None:
        with suppress(Refused):
            refund = self.story(pick).refund(minor)
            if all(self.through(reversal) for reversal in refund.children.all()):
                self.through(fresh(refund))

    @rule(pick=PICK, minor=st.integers(1, 12_000))
    def withdraw(self, pick: int, minor: int) -> None:
        self.try_to(lambda: self.story(pick).withdraw(minor))

    @rule(pick=PICK)
    def object_to_it(self, pick: int) -> None:
        story = self.story(pick)
        self.try_to(lambda: services.open_dispute(story.milestone.pk, by=story.client, reason="x"))

    @rule(pick=PICK, resolution=st.sampled_from(["release", "refund", "dismiss"]))
    def decide(self, pick: int, resolution: str) -> None:
        story = self.story(pick)
        for dispute in Dispute.objects.filter(milestone=story.milestone, status="open"):
            self.try_to(
                lambda: services.resolve_dispute(dispute.pk, by=story.staff, resolution=resolution, reason="x")  # noqa: B023
            )

    # ------------------------------------------------------------ workers
    def waiting(self, pick: int) -> list[Operation]:
        found = self.ours(dispatch__in=[Dispatch.READY, Dispatch.SENT, Dispatch.UNKNOWN, Dispatch.PARKED])
        return found[pick % len(found) :][:1] if found else []

    @rule(pick=PICK)
    def send_and_hear(self, pick: int) -> None:
        for operation in self.waiting(pick):
            self.through(operation)

    @rule(pick=PICK, arrives=st.booleans())
    def send_and_hear_nothing(self, pick: int, arrives: bool) -> None:
        for operation in self.waiting(pick):
            if operations.mark_sent(operation, now=NOW) and arrives:
                assert not operations.is_frozen(operation)
                self.stripe.do(operation)

    @rule(pick=PICK, answer=st.sampled_from(["unknown", "reject", "park", "unpark", "new attempt", "manual"]))
    def hear_an_error(self, pick: int, answer: str) -> None:
        """Errors that say that nothing was done are told of what was not done only."""
        waiting = self.ours(confirmed_at__isnull=True)
        if not waiting:
            return
        operation = waiting[pick % len(waiting)]
        done = operation.pk in self.stripe.done
        if answer == "unknown":
            operations.unknown(operation, error="x")
        elif answer == "manual":
            operations.manual(operation, error="x")
        elif answer == "unpark":
            operations.unpark(operation)
        elif not done and answer == "park":
            operations.park(operation, code="x", error="x")
        elif not done and answer == "new attempt":
            operations.new_attempt(operation, code="x", error="x")
        elif not done:
            outcomes.rejected(operation, code="x", error="x", now=NOW)

    # ------------------------------------------------------------ Stripe
    @rule(pick=PICK, told=st.booleans())
    def get_further(self, pick: int, told: bool) -> None:
        """An object changes at Stripe (a payout is paid, a refund fails), and that is told, or not yet."""
        if self.stripe.done:
            found = list(self.stripe.done.values())[pick % len(self.stripe.done)]
            most = {Kind.DEPOSIT: 1, Kind.WITHDRAWAL: 3, Kind.REFUND: 2}.get(Kind(found.operation.kind), 0)
            found.state = min(found.state + 1, most)
            if told:
                self.told(found, found.state)

    @rule(pick=PICK, old=PICK)
    def tell(self, pick: int, old: int) -> None:
        """A response, or an event: of what is now, or of what was."""
        if self.stripe.done:
            found = list(self.stripe.done.values())[pick % len(self.stripe.done)]
            self.told(found, min(found.state, old % 4))

    def told(self, found: Object, state: int) -> None:
        operation = found.operation
        if operation.kind == Kind.DEPOSIT:
            now = PaymentState.SUCCEEDED if state == 1 else PaymentState.AWAITING
            outcomes.deposit_seen(operation.pk, payment(operation, now), livemode=False, now=NOW)
        elif operation.kind == Kind.RELEASE:
            outcomes.release_seen(operation.pk, transfer(operation), now=NOW)
        elif operation.kind == Kind.REVERSAL:
            outcomes.reversal_seen(operation.pk, reversal_of(operation), now=NOW)
        elif operation.kind == Kind.REFUND:
            back = "txn_back" if state == 2 else ""
            outcomes.refund_seen(operation.pk, refund_of(operation, REFUNDS[state], back=back), now=NOW)
        else:
            back = "txn_back" if state == 3 else ""
            outcomes.withdrawal_seen(operation.pk, payout(operation, PAYOUTS[state], back=back), now=NOW)

    @rule(pick=PICK, fate=st.sampled_from(["taken", "won", "lost"]), tells=st.booleans())
    def object_at_the_bank(self, pick: int, fate: str, tells: bool) -> None:
        paid = [deposit for deposit in self.ours(kind=Kind.DEPOSIT) if deposit.charge]
        if not paid or pick > 20:
            return
        deposit = paid[pick % len(paid)]
        was = self.stripe.objections.get(deposit.pk)
        if was is None or was.state == BankDispute.OPEN:
            state = {"taken": BankDispute.OPEN, "won": BankDispute.WON, "lost": BankDispute.LOST}[fate]
            self.stripe.objections[deposit.pk] = objection(deposit, state, reinstated=fate == "won")
        if tells:
            outcomes.dispute_seen(self.stripe.objections[deposit.pk], now=NOW)

    @rule(pick=PICK)
    def tell_what_is_not_so(self, pick: int) -> None:
        """Objects of others, or with other amounts, move nothing."""
        sent = self.ours(dispatch__in=[Dispatch.SENT, Dispatch.UNKNOWN, Dispatch.CONFIRMED], kind=Kind.RELEASE)
        if not sent:
            return
        release = sent[pick % len(sent)]
        for wrong in (
            replace(transfer(release), amount=usd(1)),
            replace(transfer(release), destination="acct_other"),
            replace(transfer(release), amount=Money(net(release).minor, "eur")),
        ):
            with pytest.raises(Contradiction):
                outcomes.release_seen(release.pk, wrong, now=NOW)

    # ------------------------------------------------------------ always
    @invariant()
    def the_books_are_right(self) -> None:
        assert not audit.check().breaches

    def teardown(self) -> None:
        """In the end all is told, and Stripe's balance is the book's."""
        if not hasattr(self, "example"):
            return
        try:
            if not connection.needs_rollback:  # a rule has failed: that is what is to be seen
                self.tell_all()
        finally:
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)

    def tell_all(self) -> None:
        for _ in range(2):
            for found in sorted(self.stripe.done.values(), key=lambda one: one.operation.kind != Kind.REVERSAL):
                self.told(found, found.state)
            for dispute in self.stripe.objections.values():
                outcomes.dispute_seen(dispute, now=NOW)
        assert all(fresh(found.operation).dispatch == Dispatch.CONFIRMED for found in self.stripe.done.values())
        assert audit.check({"usd": self.stripe.platform()}).clean


@pytest.mark.django_db
def test_every_order_of_events_keeps_the_books_right() -> None:
    run_state_machine_as_test(
        Books, settings=hypothesis_settings(max_examples=15, stateful_step_count=30, deadline=None, database=None)
    )
