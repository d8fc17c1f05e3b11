"""One operation driven to its end, against the local Stripe: what goes wrong on the way moves no cent twice."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from jobs.database import now, rows
from jobs.models import Attempt, Job, QueuePause
from payments import seen, services
from payments.models import Operation
from payments.money import Money
from payments.states import Dispatch, MilestoneStatus, Status
from tests.payments.live import Live, job_of, live_escrow, use
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import LocalStripe, local_stripe, local_stripe_process
from tests.payments.story import deposit_of, fresh

__all__ = ["local_stripe", "local_stripe_process"]

pytestmark = pytest.mark.django_db

SOON = timedelta(hours=2)
"""Long enough for every retry that is to come, short enough for keys to stay young."""


@pytest.fixture
def stripe(local_stripe: LocalStripe, settings: Any) -> Cast:
    use(settings, local_stripe.url)
    return Cast(local_stripe.url, local_stripe.key)


@pytest.fixture
def inline(jobs_inline: ModuleType) -> ModuleType:
    return jobs_inline


def run(inline: ModuleType) -> None:
    """Everything that is to be done within the next two hours, whatever comes of it."""
    inline.drain(until=now() + SOON, failures=True)


def funded(stripe: Cast, inline: ModuleType, amount: int = 10_000) -> Live:
    story = live_escrow(stripe, amount)
    story.deposit()
    inline.run_all(failures=True)
    story.pay()
    run(inline)
    assert fresh(deposit_of(story)).status == Status.HELD
    return story


def approved(stripe: Cast, inline: ModuleType, amount: int = 10_000) -> tuple[Live, Operation]:
    story = funded(stripe, inline, amount)
    services.deliver(story.milestone.pk, by=story.freelancer)
    return story, story.release()


def released(stripe: Cast, inline: ModuleType, amount: int = 10_000) -> tuple[Live, Operation]:
    story, release = approved(stripe, inline, amount)
    run(inline)
    assert fresh(release).status == Status.TRANSFERRED
    return story, release


def outcomes_of(operation: Operation) -> list[str]:
    found = Attempt.objects.filter(job_id=str(fresh(operation).job_id)).order_by("number")
    return list(found.values_list("outcome", flat=True))


# ------------------------------------------------------------------ the four actions
def test_a_deposit_waits_until_the_client_has_paid_and_is_held_then(stripe: Cast, inline: ModuleType) -> None:
    story = live_escrow(stripe)
    deposit = story.deposit()
    inline.run_all(failures=True)
    assert fresh(deposit).status == Status.AWAITING_PAYMENT
    assert job_of(deposit).state == "delayed"
    assert story.held() == 0
    story.pay()
    run(inline)
    assert fresh(deposit).status == Status.HELD
    assert story.held() == 10_000
    assert story.fresh().status == MilestoneStatus.FUNDED
    assert job_of(deposit).state == "completed"
    assert job_of(deposit).result == {"operation": str(deposit.pk), "stripe_id": fresh(deposit).stripe_id}


def test_a_release_transfers_the_milestones_money_less_the_fee(stripe: Cast, inline: ModuleType) -> None:
    story, release = released(stripe, inline)
    assert story.count(release) == 1
    assert story.held() == 0
    assert story.payable() == 9_500
    assert sum(story.control.balance(story.account.stripe_account)) == 9_500
    assert job_of(release).subject == f"escrow:{story.milestone.pk}"


def test_a_withdrawal_pays_out_to_the_freelancers_bank(stripe: Cast, inline: ModuleType) -> None:
    story, _ = released(stripe, inline)
    story.control.settle(story.account.stripe_account)
    withdrawal = story.withdraw(9_000)
    run(inline)
    assert story.count(withdrawal) == 1
    assert fresh(withdrawal).stripe_id
    assert story.payable() == 500
    assert story.control.balance(story.account.stripe_account) == (500, 0)


def test_a_refund_gives_the_client_money_back(stripe: Cast, inline: ModuleType) -> None:
    story = funded(stripe, inline)
    story.control.settle()
    refund = story.refund(4_000)
    run(inline)
    assert story.count(refund) == 1
    assert fresh(refund).booked_at
    assert story.held() == 6_000


def test_after_a_release_the_freelancers_part_comes_back_before_anything_is_refunded(
    stripe: Cast, inline: ModuleType
) -> None:
    story, release = released(stripe, inline)
    for account in (None, story.account.stripe_account):
        story.control.settle(account)
    story.control.fund(1_000)  # the platform's own: Stripe's fee on the payment does not come back
    refund = story.refund(10_000)
    reversal = refund.children.get()
    run(inline)
    assert (story.count(reversal), story.count(refund)) == (1, 1)
    assert fresh(release).status == Status.FULLY_REVERSED
    assert fresh(refund).booked_at
    assert story.payable() == 0


def test_where_the_freelancers_part_cannot_come_back_nothing_is_refunded(stripe: Cast, inline: ModuleType) -> None:
    story, _ = released(stripe, inline)
    stripe.control.fault(
        "error", path="/v1/transfers/*/reversals", status=400, code="account_closed", type="invalid_request_error"
    )
    refund = story.refund(10_000)
    run(inline)
    assert fresh(refund).dispatch == Dispatch.REJECTED
    assert story.count(refund) == 0
    assert story.payable() == 9_500, "the hold on the freelancer's part was given back"


# ------------------------------------------------------------------ answers that do not come
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "hang_after", "seconds": 3},
        {"kind": "half_body"},
        {"kind": "html", "effect": True},
        {"kind": "html", "effect": False},
        {"kind": "conflict"},
        {"kind": "rate_limit"},
        {"kind": "lock_timeout"},
        {"kind": "server_error", "effect": False, "saved": False},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_a_call_whose_answer_was_lost_is_sent_again_and_has_one_effect(
    stripe: Cast, inline: ModuleType, fault: dict[str, Any]
) -> None:
    story, release = approved(stripe, inline)
    stripe.control.fault(path="/v1/transfers", method="POST", times=2, **fault)
    run(inline)
    assert story.count(release) == 1
    assert fresh(release).status == Status.TRANSFERRED
    assert fresh(release).attempt == 1, "under one key"
    assert job_of(release).failures == 0, "no attempt was spent on it"
    story.agrees()


def test_a_saved_500_with_effect_is_found_by_looking(stripe: Cast, inline: ModuleType) -> None:
    story, release = approved(stripe, inline)
    stripe.control.fault("server_error", path="/v1/transfers", method="POST", times=1, effect=True, saved=True)
    run(inline)
    assert fresh(release).status == Status.TRANSFERRED
    assert story.count(release) == 1
    story.agrees()


def test_a_saved_500_without_effect_stays_a_doubt_and_keeps_the_hold(stripe: Cast, inline: ModuleType) -> None:
    story, release = approved(stripe, inline)
    stripe.control.fault("server_error", path="/v1/transfers", method="POST", times=1, effect=False, saved=True)
    run(inline)
    assert fresh(release).dispatch == Dispatch.UNKNOWN
    assert job_of(release).state == "unknown"
    assert story.count(release) == 0
    assert story.free() == 0, "held, so that nobody can spend it twice"


def test_a_key_that_is_too_old_is_never_sent_again(stripe: Cast, inline: ModuleType, settings: Any) -> None:
    story, release = approved(stripe, inline)
    stripe.control.fault("drop_before", path="/v1/transfers", method="POST", times=1)
    inline.run_all(failures=True)
    settings.STRIPE_KEY_LIFETIME = timedelta(0)
    run(inline)
    assert story.count(release) == 0
    assert job_of(release).state == "unknown"
    assert "key is so old" in job_of(release).error
    assert story.free() == 0


def test_a_key_that_is_too_old_is_looked_for(stripe: Cast, inline: ModuleType, settings: Any) -> None:
    story, release = approved(stripe, inline)
    stripe.control.fault("drop_after", path="/v1/transfers", method="POST", times=1)
    inline.run_all(failures=True)
    settings.STRIPE_KEY_LIFETIME = timedelta(0)
    run(inline)
    assert story.count(release) == 1
    assert fresh(release).status == Status.TRANSFERRED


def test_a_look_that_is_refused_gives_no_hold_back(stripe: Cast, inline: ModuleType, settings: Any) -> None:
    story, release = approved(stripe, inline)
    stripe.control.fault("drop_after", path="/v1/transfers", method="POST", times=1)
    inline.run_all(failures=True)
    settings.STRIPE_KEY_LIFETIME = timedelta(0)
    refusal = {"status": 403, "code": "account_invalid", "type": "invalid_request_error"}
    fault = stripe.control.fault("error", path="/v1/transfers", method="GET", **refusal)
    looked = inline.run_due(now=now() + timedelta(seconds=30), failures=True)
    assert [one.outcome for one in looked] == ["unknown"]
    assert fresh(release).dispatch == Dispatch.UNKNOWN
    assert story.free() == 0
    stripe.control.clear_faults(fault)
    run(inline)
    assert story.count(release) == 1
    assert fresh(release).status == Status.TRANSFERRED


def test_a_run_that_died_after_sending_is_finished_by_the_next(stripe: Cast, inline: ModuleType) -> None:
    from payments import dispatch, gateway, operations

    story, release = approved(stripe, inline)
    release = fresh(release)
    assert operations.mark_sent(release, now=now())
    gateway.send(dispatch.call_of(release))
    run(inline)
    assert story.count(release) == 1
    assert outcomes_of(release) == ["completed"]


# ------------------------------------------------------------------ refusals
def test_too_small_a_balance_is_tried_again_under_a_new_key(stripe: Cast, inline: ModuleType) -> None:
    story, _ = released(stripe, inline)
    withdrawal = story.withdraw(9_000)  # its money has not settled
    inline.run_all(failures=True)
    assert fresh(withdrawal).attempt == 2
    assert fresh(withdrawal).dispatch == Dispatch.READY
    assert story.payable() == 500, "the hold stays"
    story.control.settle(story.account.stripe_account)
    run(inline)
    assert story.count(withdrawal) == 1
    story.agrees()


def test_what_the_payees_side_refuses_is_given_up_and_its_hold_given_back(stripe: Cast, inline: ModuleType) -> None:
    story, release = approved(stripe, inline)
    story.control.account(story.account.stripe_account, "capability_lost", capability="transfers")
    run(inline)
    assert fresh(release).dispatch == Dispatch.REJECTED
    assert job_of(release).state == "failed"
    assert job_of(release).failures == 1, "once is enough"
    assert story.free() == 10_000


def test_with_a_wrong_key_everything_is_parked_and_nothing_fails(
    stripe: Cast, inline: ModuleType, settings: Any
) -> None:
    story, release = approved(stripe, inline)
    good = settings.STRIPE_SECRET_KEY
    settings.STRIPE_SECRET_KEY = "rk_live_of_somebody_else"
    inline.run_all(failures=True)
    assert fresh(release).dispatch == Dispatch.PARKED
    assert job_of(release).state == "delayed"
    assert story.free() == 0
    settings.STRIPE_SECRET_KEY = good
    run(inline)
    assert story.count(release) == 1


def test_a_refusal_that_nobody_has_thought_about_waits_for_a_person(stripe: Cast, inline: ModuleType) -> None:
    story, release = approved(stripe, inline)
    fault = {"status": 400, "code": "action_blocked", "type": "invalid_request_error"}
    stripe.control.fault("error", path="/v1/transfers", method="POST", **fault)
    run(inline)
    assert fresh(release).dispatch == Dispatch.MANUAL
    assert job_of(release).state == "unknown"
    assert story.free() == 0


def test_a_dispute_holds_a_release_back_until_it_is_decided(stripe: Cast, inline: ModuleType) -> None:
    story, release = approved(stripe, inline)
    dispute, _ = services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")
    inline.run_all(failures=True)
    assert story.count(release) == 0
    assert job_of(release).state == "delayed"
    services.resolve_dispute(dispute.pk, by=story.staff, resolution="dismiss", reason="It does not.")
    run(inline)
    assert story.count(release) == 1


# ------------------------------------------------------------------ somebody else was quicker, or wrong
def test_a_payment_of_another_amount_is_set_aside_for_a_person(stripe: Cast, inline: ModuleType) -> None:
    story = live_escrow(stripe)
    deposit = story.deposit()
    inline.run_all(failures=True)
    stripe.api.payment_intents.update(str(fresh(deposit).stripe_id), {"amount": 1_000})
    story.pay()
    run(inline)
    assert fresh(deposit).status == Status.MANUAL
    assert job_of(deposit).state == "unknown"
    assert story.held() == 0


def test_when_stripe_is_down_the_queue_is_paused_by_the_breaker_and_looked_at_again(
    stripe: Cast, inline: ModuleType
) -> None:
    story, release = approved(stripe, inline)
    fault = stripe.control.fault("html", status=503, effect=False)
    for _ in range(5):
        Job.objects.filter(state="delayed").update(available_at=now())
        inline.run_due(failures=True)
    pause = QueuePause.objects.get(queue="payment")
    assert pause.owner == "breaker"
    assert pause.until is not None
    runs = job_of(release).runs
    inline.run_due(failures=True)
    assert job_of(release).runs == runs, "nothing is started meanwhile"
    stripe.control.clear_faults(fault)
    QueuePause.objects.update(until=now())
    rows("UPDATE payments_breaker SET retry_at = clock_timestamp()")
    run(inline)
    assert not QueuePause.objects.exists()
    assert story.count(release) == 1


def test_currencies_without_cents_go_through(stripe: Cast, inline: ModuleType) -> None:
    story = live_escrow(stripe, 5_000, currency="jpy")
    story.deposit()
    inline.run_all(failures=True)
    deposit = story.pay()
    run(inline)
    assert fresh(deposit).status == Status.HELD
    assert Money(fresh(deposit).amount, "jpy") == Money(5_000, "jpy")


def test_a_run_that_an_event_overtakes_before_it_sends_is_done_at_once(
    stripe: Cast, inline: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill: the next run looks, the event of the lost answer comes, and only then the run wants to send."""
    from payments import dispatch, gateway, operations

    _, release = approved(stripe, inline)
    release = fresh(release)
    assert operations.mark_sent(release, now=now())
    made = gateway.send(dispatch.call_of(release))
    wait = dispatch._wait_for_stripe

    def event_comes(*args: Any) -> None:
        wait(*args)
        seen.tell(fresh(release), made, now=now())

    monkeypatch.setattr(dispatch, "_wait_for_stripe", event_comes)
    inline.run_all(failures=True)
    assert outcomes_of(release) == ["skipped"]
    assert job_of(release).state == "completed"
