"""Not what was asked for was paid: all of it goes back to its payer, once, and the milestone may be funded anew."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from jobs.database import now
from payments import audit, doubts, ledger, outcomes, seen, services
from payments.facts import RefundState
from payments.models import Operation
from payments.services import refund_set_aside
from payments.states import MilestoneStatus, Status
from tests.payments.live import Live, job_of, live_escrow, use
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import LocalStripe, local_stripe, local_stripe_process
from tests.payments.story import NOW, deposit_of, escrow, finish_refund, fresh, payment, refund_of, refused, usd
from tests.payments.test_reconcile import look, run

__all__ = ["local_stripe", "local_stripe_process"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def stripe(local_stripe: LocalStripe, settings: Any) -> Cast:
    use(settings, local_stripe.url)
    return Cast(local_stripe.url, local_stripe.key)


@pytest.fixture
def inline(jobs_inline: ModuleType) -> ModuleType:
    return jobs_inline


def paid_wrongly(stripe: Cast, inline: ModuleType) -> tuple[Live, Operation]:
    """The PaymentIntent was made for 90.00 where 100.00 was asked for."""
    story = live_escrow(stripe)
    deposit = story.deposit()
    inline.run_all(failures=True)
    intent = str(fresh(deposit).stripe_id)
    stripe.api.payment_intents.update(intent, {"amount": 9_000})
    story.pay()
    run(inline)
    stripe.control.settle()
    deposit = fresh(deposit)
    assert (deposit.status, job_of(deposit).state) == (Status.MANUAL, "unknown")
    assert ledger.balance("suspense:usd") == -9_000
    return story, deposit


def arrives(stripe: Cast, inline: ModuleType, refund: Operation) -> None:
    """Its job runs, and the payer's bank says that it has the money."""
    run(inline)
    told(stripe, refund, "succeeded")
    assert fresh(refund).status == Status.REFUNDED


def told(stripe: Cast, refund: Operation, state: str) -> None:
    refund = fresh(refund)
    stripe.control.refund(str(refund.stripe_id), state)
    seen.tell(refund, seen.fetch(refund, str(refund.stripe_id)), now=now())


def test_all_that_was_received_goes_back_and_the_milestone_is_funded_anew(stripe: Cast, inline: ModuleType) -> None:
    story, deposit = paid_wrongly(stripe, inline)
    assert refused(story.deposit) == "deposit_needs_staff"
    refund, created = refund_set_aside(deposit.pk, by=story.staff, reason="too little was paid")
    assert created
    assert (refund.amount, refund.parent, refund.params["payment_intent"]) == (9_000, deposit, deposit.stripe_id)
    assert not audit.check().breaches
    assert fresh(deposit).status == Status.MANUAL, "it is closed when the money is back, not before"
    arrives(stripe, inline, refund)
    assert fresh(deposit).status == Status.CANCELED
    assert ledger.balance("suspense:usd") == 0
    assert story.count(refund) == 1
    assert story.fresh().status == MilestoneStatus.DRAFT
    story.deposit()
    inline.run_all(failures=True)
    later = Operation.objects.filter(milestone=story.milestone, kind="deposit").latest("id")
    stripe.api.payment_intents.confirm(str(fresh(later).stripe_id), {"payment_method": "pm_card_visa"})
    run(inline)
    assert (fresh(later).status, story.held()) == (Status.HELD, 10_000)
    story.agrees()


def test_the_job_of_a_closed_deposit_is_decided_by_the_resolver(stripe: Cast, inline: ModuleType) -> None:
    story, deposit = paid_wrongly(stripe, inline)
    refund, _ = refund_set_aside(deposit.pk, by=story.staff, reason="too little was paid")
    arrives(stripe, inline, refund)
    assert doubts.resolve(now=now()) == {"told meanwhile": 1}
    assert job_of(deposit).state == "completed"


def test_asking_twice_gives_one_refund(stripe: Cast, inline: ModuleType) -> None:
    story, deposit = paid_wrongly(stripe, inline)
    first, _ = refund_set_aside(deposit.pk, by=story.staff, reason="too little was paid")
    again, created = refund_set_aside(deposit.pk, by=story.staff, reason="too little was paid")
    assert (again, created) == (first, False)
    arrives(stripe, inline, first)
    assert refused(lambda: refund_set_aside(deposit.pk, by=story.staff, reason="once more")) == "nothing_set_aside"
    assert story.count(first) == 1


def test_a_refund_that_stripe_refuses_leaves_the_money_in_suspense_to_be_asked_for_again(
    stripe: Cast, inline: ModuleType
) -> None:
    story, deposit = paid_wrongly(stripe, inline)
    refund, _ = refund_set_aside(deposit.pk, by=story.staff, reason="too little was paid")
    stripe.control.fault("error", path="/v1/refunds", method="POST", status=400, code="resource_missing", times=1)
    run(inline)
    assert fresh(refund).status == Status.REJECTED
    assert (fresh(deposit).status, ledger.balance("suspense:usd")) == (Status.MANUAL, -9_000)
    assert not audit.check().breaches
    again, created = refund_set_aside(deposit.pk, by=story.staff, reason="once more")
    assert created
    arrives(stripe, inline, again)
    assert fresh(deposit).status == Status.CANCELED
    story.agrees()


def test_a_refund_that_fails_later_puts_the_money_back_into_suspense(stripe: Cast, inline: ModuleType) -> None:
    story, deposit = paid_wrongly(stripe, inline)
    refund, _ = refund_set_aside(deposit.pk, by=story.staff, reason="too little was paid")
    arrives(stripe, inline, refund)
    told(stripe, refund, "failed")
    assert fresh(refund).status == Status.FAILED_RETURNED
    assert ledger.balance("suspense:usd") == -9_000
    assert services.set_aside(fresh(deposit)) is not None
    assert story.fresh().status == MilestoneStatus.DRAFT, "its next deposit is its own"
    story.agrees()


def test_a_refund_that_fails_later_does_not_touch_what_the_milestone_has_become() -> None:
    story = escrow()
    deposit = story.deposit()
    outcomes.deposit_seen(deposit.pk, payment(deposit, received=usd(9_000)), livemode=False, now=NOW)
    aside, _ = refund_set_aside(deposit.pk, by=story.staff, reason="too little was paid")
    finish_refund(aside)
    story.funded()
    finish_refund(story.refund(10_000))
    assert story.fresh().status == MilestoneStatus.REFUNDED
    assert outcomes.refund_seen(aside.pk, refund_of(aside, RefundState.FAILED, back="txn_back"), now=NOW)
    assert (fresh(aside).status, ledger.balance("suspense:usd")) == (Status.FAILED_RETURNED, -9_000)
    assert (story.fresh().status, story.held()) == (MilestoneStatus.REFUNDED, 0)


def test_a_reconciliation_finds_all_of_it_explained(stripe: Cast, inline: ModuleType) -> None:
    story, deposit = paid_wrongly(stripe, inline)
    refund, _ = refund_set_aside(deposit.pk, by=story.staff, reason="too little was paid")
    arrives(stripe, inline, refund)
    assert look(full=True).is_clean


def test_only_staff_with_a_reason_and_something_set_aside(stripe: Cast, inline: ModuleType) -> None:
    story, deposit = paid_wrongly(stripe, inline)
    assert refused(lambda: refund_set_aside(deposit.pk, by=story.client, reason="mine")) == "staff_only"
    assert refused(lambda: refund_set_aside(deposit.pk, by=story.staff, reason="  ")) == "reason_missing"
    other = live_escrow(stripe)
    other.deposit()
    unpaid = deposit_of(other)
    assert refused(lambda: refund_set_aside(unpaid.pk, by=story.staff, reason="why not")) == "nothing_set_aside"
    assert not Operation.objects.filter(kind="refund").exists()
