"""Stripe says no: for want of money, for the payee's sake, for a wrong key. And a dispute says no meanwhile."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from jobs import testing
from jobs.database import now
from jobs.models import Job
from payments import audit, disputes_at_stripe, services
from payments.models import Dispute, Operation
from payments.states import Dispatch, MilestoneStatus, Status
from tests.payments.faults import scene
from tests.payments.faults.gate import Gate
from tests.payments.faults.scene import run_soon
from tests.payments.live import Live, job_of
from tests.payments.sandbox.cast import Cast
from tests.payments.story import deposit_of, fresh, refused

pytestmark = pytest.mark.django_db


def again() -> None:
    """Whatever waits is due now; one run of each."""
    Job.objects.filter(state="delayed").update(available_at=now())
    testing.run_due(failures=True)


# ---------------------------------------------------------------- the payee's balance is empty
def test_while_the_payees_balance_does_not_cover_the_reversal_nothing_is_refunded(stripe: Cast) -> None:
    story = scene.released(stripe)
    account = story.account.stripe_account
    stripe.control.hand_made(kind="payout", account=account, amount=9_500, currency="usd")
    refund = story.refund(10_000)
    reversal = refund.children.get()
    testing.run_all(failures=True)
    for _ in range(3):
        again()
    assert fresh(reversal).attempt == 5, "each under a new key: the refusal is kept under the old one"
    assert fresh(refund).status == Status.REVERSING
    assert (story.count(reversal), story.count(refund)) == (0, 0)
    assert story.payable() == 0, "what is to come back is held"
    stripe.control.fund(9_500, account=account)
    stripe.control.fund(1_000)  # the platform's own: Stripe's fee on the payment does not come back
    again()
    again()
    assert (story.count(reversal), story.count(refund)) == (1, 1)
    assert fresh(refund).status == Status.REFUNDED
    assert audit.check().breaches == []


# ---------------------------------------------------------------- a dispute opens while nobody knows
@pytest.fixture(params=["ours", "the bank's"])
def dispute(request: pytest.FixtureRequest) -> Any:
    """How a dispute is opened, and how it ends in the freelancer's favour."""
    return {"ours": (_object, _dismiss), "the bank's": (_charge_back, _win)}[request.param]


def _object(story: Live) -> None:
    services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")


def _dismiss(story: Live) -> None:
    open_ = Dispute.objects.get(milestone=story.milestone)
    services.resolve_dispute(open_.pk, by=story.staff, resolution="dismiss", reason="It does not.")


def _charge_back(story: Live) -> None:
    opened = story.control.open_dispute(fresh(deposit_of(story)).charge, inquiry=True)
    disputes_at_stripe.look(opened["id"], now=now())


def _win(story: Live) -> None:
    open_ = Dispute.objects.get(milestone=story.milestone)
    story.control.dispute(str(open_.stripe_id), "won")
    disputes_at_stripe.look(str(open_.stripe_id), now=now())


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
def test_a_release_that_is_unknown_when_a_dispute_opens_stands_still_until_its_end(
    stripe: Cast, gate: Gate, settings: Any, dispute: Any, done: bool
) -> None:
    begin, end = dispute
    story = scene.delivered(stripe)
    settings.STRIPE_API_BASE = gate.url
    stripe.control.fault("drop_after" if done else "drop_before", path="/v1/transfers", method="POST", times=1)
    release = story.release()
    testing.run_all(failures=True)
    assert fresh(release).dispatch == Dispatch.UNKNOWN
    begin(story)
    for _ in range(3):
        again()
    assert len(gate.posts()) == 1, "it is not sent again while the milestone is disputed"
    assert (fresh(release).dispatch, story.free(), story.count(release)) == (Dispatch.UNKNOWN, 0, int(done))
    assert refused(lambda: story.refund(10_000)) == "milestone_disputed"
    end(story)
    run_soon()
    assert story.fresh().status == MilestoneStatus.RELEASED
    assert len({(one.body, one.header("Idempotency-Key")) for one in gate.posts()}) == 1
    scene.require_once(stripe.control, [release])


def test_staff_cannot_refund_what_may_have_been_released(stripe: Cast) -> None:
    story = scene.delivered(stripe)
    stripe.control.fault("drop_after", path="/v1/transfers", method="POST", times=1)
    release = story.release()
    testing.run_all(failures=True)
    _object(story)
    open_ = Dispute.objects.get()
    decide = partial(services.resolve_dispute, open_.pk, by=story.staff, resolution="refund", reason="It leaks.")
    assert refused(decide) == "release_in_progress"
    assert fresh(release).dispatch == Dispatch.UNKNOWN
    assert Dispute.objects.get().status == "open"


# ---------------------------------------------------------------- the payee's side
@pytest.mark.parametrize("trouble", ["deauthorized", "capability_lost"])
def test_a_release_that_the_payees_side_refuses_is_rejected_and_its_hold_given_back(stripe: Cast, trouble: str) -> None:
    story = scene.delivered(stripe)
    release = story.release()
    stripe.control.account(story.account.stripe_account, trouble)
    run_soon()
    require_rejected(release)
    assert (story.free(), story.payable()) == (10_000, 0)
    scene.require_agreement(stripe.control)


@pytest.mark.parametrize("trouble", ["deauthorized", "bank_errored", "payouts_lost"])
def test_a_withdrawal_that_the_payees_side_refuses_is_rejected_and_its_money_is_payable_again(
    stripe: Cast, trouble: str
) -> None:
    story = scene.released(stripe)
    withdrawal = story.withdraw(9_000)
    assert story.payable() == 500
    stripe.control.account(story.account.stripe_account, trouble)
    run_soon()
    require_rejected(withdrawal)
    assert story.payable() == 9_500
    scene.require_agreement(stripe.control)


def require_rejected(operation: Operation) -> None:
    """Once, without a doubt, and in words."""
    assert (fresh(operation).dispatch, fresh(operation).status) == (Dispatch.REJECTED, Status.REJECTED)
    assert fresh(operation).error
    assert (job_of(operation).state, job_of(operation).failures) == ("failed", 1)


# ---------------------------------------------------------------- our own configuration
def test_with_a_wrong_key_operations_of_every_kind_are_parked_and_nothing_fails(stripe: Cast, settings: Any) -> None:
    scenery = scene.ready(stripe)
    operations = scenery.ask()
    held = [scenery.release.free(), scenery.refund.free(), scenery.withdrawal.payable(), scenery.reversal.payable()]
    good = settings.STRIPE_SECRET_KEY
    settings.STRIPE_SECRET_KEY = "sk_test_of_somebody_else"
    for _ in range(3):
        again()
    assert {fresh(one).dispatch for one in operations} == {Dispatch.PARKED}
    assert {(job_of(one).state, job_of(one).failures) for one in operations} == {("delayed", 0)}
    assert held == [
        scenery.release.free(), scenery.refund.free(), scenery.withdrawal.payable(), scenery.reversal.payable(),
    ]  # fmt: skip
    settings.STRIPE_SECRET_KEY = good
    again()
    again()
    refunds = [one.parent for one in map(fresh, operations) if one.parent]
    scene.require_once(stripe.control, [*operations, *refunds])
