"""What Stripe says moves operation, ledger and milestone together, once, in whatever order it is told."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from payments import ledger, operations, outcomes, services
from payments.facts import BankDispute, ChargeFee, PaymentState, PayoutState, RefundState, StripeTransfer
from payments.models import Dispute, Operation, Transfer
from payments.money import Money
from payments.outcomes import Contradiction, TooEarly
from payments.states import Dispatch, Status
from tests.payments.story import (
    NOW,
    deposit_of,
    escrow,
    finish_refund,
    fresh,
    objection,
    payment,
    payout,
    refund_of,
    refused,
    reversal_of,
    sent,
    transfer,
    usd,
)

pytestmark = pytest.mark.django_db


def platform() -> int:
    return ledger.balance("stripe:platform:usd")


# ---------------------------------------------------------------- deposits
def test_a_paid_deposit_is_held_for_the_milestone() -> None:
    story = escrow().funded()
    deposit = deposit_of(story)
    assert (deposit.dispatch, deposit.status, deposit.charge) == ("confirmed", "held", f"ch_{deposit.pk}")
    assert (story.held(), platform(), story.fresh().status) == (10_000, 10_000, "funded")


def test_a_deposit_that_is_told_ten_times_is_booked_once() -> None:
    story = escrow()
    deposit = story.deposit()
    told = [outcomes.deposit_seen(deposit.pk, payment(deposit), livemode=False, now=NOW) for _ in range(10)]
    assert told == [True] + [False] * 9
    assert Transfer.objects.count() == 1


def test_a_declined_customer_may_pay_again_on_the_same_payment_intent() -> None:
    story = escrow()
    deposit = story.deposit()
    for state in (PaymentState.AWAITING, PaymentState.DECLINED, PaymentState.PROCESSING, PaymentState.SUCCEEDED):
        outcomes.deposit_seen(deposit.pk, payment(deposit, state), livemode=False, now=NOW)
    assert story.fresh().status == "funded"


def test_an_old_event_takes_nothing_back() -> None:
    story = escrow().funded()
    deposit = deposit_of(story)
    for state in (PaymentState.PROCESSING, PaymentState.DECLINED, PaymentState.CANCELED):
        assert not outcomes.deposit_seen(deposit.pk, payment(deposit, state), livemode=False, now=NOW)
    assert (fresh(deposit).status, story.held(), story.fresh().status) == ("held", 10_000, "funded")


def test_a_cancelled_deposit_lets_the_milestone_be_funded_anew() -> None:
    story = escrow()
    deposit = story.deposit()
    outcomes.deposit_seen(deposit.pk, payment(deposit, PaymentState.CANCELED), livemode=False, now=NOW)
    assert story.fresh().status == "draft"
    assert story.funded().fresh().status == "funded"
    assert story.held() == 10_000


@pytest.mark.parametrize(
    "wrong",
    [{"received": usd(9_999)}, {"received": Money(10_000, "eur")}, {"milestone_id": "0"}, {"milestone_id": ""}],
)
def test_money_that_is_not_what_was_asked_for_waits_in_suspense_for_a_person(wrong: dict[str, Any]) -> None:
    story = escrow()
    deposit = story.deposit()
    assert outcomes.deposit_seen(deposit.pk, payment(deposit, **wrong), livemode=False, now=NOW)
    assert not outcomes.deposit_seen(deposit.pk, payment(deposit, **wrong), livemode=False, now=NOW)
    deposit = fresh(deposit)
    assert (deposit.status, deposit.error_code, story.held()) == ("manual", "deposit_mismatch", 0)
    received = wrong.get("received", usd(10_000))
    assert isinstance(received, Money)
    assert ledger.balance(f"suspense:{received.currency}") == -received.minor
    assert refused(lambda: services.request_deposit(story.milestone.pk, by=story.client)) == "deposit_needs_staff"


def test_a_payment_intent_of_another_milestone_moves_nothing() -> None:
    paid, other = escrow().funded(), escrow()
    deposit = other.deposit()
    with pytest.raises(Contradiction, match="was made by"):
        outcomes.deposit_seen(deposit.pk, payment(deposit_of(paid)), livemode=False, now=NOW)
    assert (other.held(), paid.held()) == (0, 10_000)


def test_test_money_is_not_believed_with_a_live_key() -> None:
    deposit = escrow().deposit()
    with pytest.raises(Contradiction, match="test mode"):
        outcomes.deposit_seen(deposit.pk, payment(deposit), livemode=True, now=NOW)


def test_stripes_fee_is_booked_when_it_is_known_and_once() -> None:
    story = escrow()
    deposit = story.deposit()
    fee = ChargeFee(charge=f"ch_{deposit.pk}", balance_transaction="txn_1", fee=usd(320))
    with pytest.raises(TooEarly):
        outcomes.fee_seen(deposit.pk, fee)
    outcomes.deposit_seen(deposit.pk, payment(deposit), livemode=False, now=NOW)
    assert [outcomes.fee_seen(deposit.pk, fee) for _ in range(2)] == [True, False]
    assert (platform(), ledger.balance("expense:stripe_fee:usd"), story.held()) == (9_680, 320, 10_000)


# ---------------------------------------------------------------- releases
def test_a_release_pays_the_freelancer_less_the_fee() -> None:
    story = escrow().released()
    assert (story.held(), story.payable(), ledger.balance("revenue:fee:usd")) == (0, 9_500, 500)
    assert (platform(), ledger.balance(f"stripe:connected:{story.account.stripe_account}:usd")) == (500, 9_500)
    assert story.fresh().status == "released"


def test_an_event_that_overtakes_the_response_confirms_and_the_response_is_no_news() -> None:
    story = escrow().delivered()
    release = sent(story.release())
    assert outcomes.release_seen(release.pk, transfer(release), now=NOW)
    assert not outcomes.release_seen(release.pk, transfer(release), now=NOW)
    assert not operations.unknown(release, error="read timeout")
    assert not outcomes.rejected(release, code="x", error="x", now=NOW)
    assert fresh(release).dispatch == Dispatch.CONFIRMED


def test_a_rejected_release_gives_the_hold_back_and_may_be_asked_for_anew() -> None:
    story = escrow().delivered()
    release = sent(story.release())
    assert story.free() == 0
    assert outcomes.rejected(release, code="account_closed", error="It is closed.", now=NOW)
    assert not outcomes.rejected(release, code="account_closed", error="It is closed.", now=NOW)
    assert (story.free(), fresh(release).status, story.fresh().status) == (10_000, "rejected", "delivered")
    assert story.release().pk != release.pk


def test_an_unknown_release_keeps_its_hold() -> None:
    story = escrow().delivered()
    release = sent(story.release())
    assert operations.unknown(release, error="read timeout")
    assert (story.held(), story.free()) == (10_000, 0)


def test_a_transfer_after_the_hold_was_given_back_is_a_contradiction() -> None:
    story = escrow().delivered()
    release = sent(story.release())
    outcomes.rejected(release, code="x", error="x", now=NOW)
    with pytest.raises(Contradiction, match="given up"):
        outcomes.release_seen(release.pk, transfer(release), now=NOW)


def test_a_second_transfer_of_one_release_is_a_contradiction() -> None:
    story = escrow().released()
    release = Operation.objects.get(kind="release", milestone=story.milestone)
    again = StripeTransfer(
        id="tr_2", amount=usd(9_500), destination=story.account.stripe_account, balance_transaction="txn_2"
    )
    with pytest.raises(Contradiction, match="tr_2"):
        outcomes.release_seen(release.pk, again, now=NOW)


# ---------------------------------------------------------------- withdrawals
STATES = [
    (PayoutState.PENDING, ""),
    (PayoutState.IN_TRANSIT, ""),
    (PayoutState.PAID, ""),
    (PayoutState.FAILED, "txn_back"),
]


def test_a_withdrawal_is_posted_when_stripes_balance_moved_and_ends_as_paid() -> None:
    story = escrow().released()
    withdrawal = sent(story.withdraw(9_000))
    assert story.payable() == 500
    outcomes.withdrawal_seen(withdrawal.pk, payout(withdrawal, PayoutState.PENDING, moved=False), now=NOW)
    assert fresh(withdrawal).booked_at is None
    for state, _ in STATES[:3]:
        outcomes.withdrawal_seen(withdrawal.pk, payout(withdrawal, state), now=NOW)
    assert (fresh(withdrawal).status, story.payable()) == ("paid", 500)
    assert ledger.balance(f"stripe:connected:{story.account.stripe_account}:usd") == 500


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_in_whatever_order_payout_events_are_read_a_failed_one_gives_the_money_back(order: tuple[int, ...]) -> None:
    story = escrow().released()
    withdrawal = sent(story.withdraw(9_000))
    for number in [*order, *order]:
        state, back = STATES[number]
        outcomes.withdrawal_seen(withdrawal.pk, payout(withdrawal, state, back=back), now=NOW)
    assert (fresh(withdrawal).status, story.payable()) == ("failed_returned", 9_500)


def test_a_failed_payout_keeps_the_money_away_until_stripe_says_that_it_is_back() -> None:
    story = escrow().released()
    withdrawal = sent(story.withdraw(9_000))
    outcomes.withdrawal_seen(withdrawal.pk, payout(withdrawal, PayoutState.FAILED), now=NOW)
    assert story.payable() == 500
    outcomes.withdrawal_seen(withdrawal.pk, payout(withdrawal, PayoutState.FAILED, back="txn_back"), now=NOW)
    assert story.payable() == 9_500


def test_a_payout_that_failed_before_any_balance_moved_gives_the_hold_back() -> None:
    story = escrow().released()
    withdrawal = sent(story.withdraw(9_000))
    outcomes.withdrawal_seen(withdrawal.pk, payout(withdrawal, PayoutState.FAILED, moved=False), now=NOW)
    assert (story.payable(), fresh(withdrawal).status) == (9_500, "failed_returned")


# ---------------------------------------------------------------- refunds
def test_a_refund_of_all_ends_the_milestone_when_it_has_arrived() -> None:
    story = escrow().funded()
    refund = sent(story.refund(10_000))
    assert (story.held(), story.free()) == (10_000, 0)
    outcomes.refund_seen(refund.pk, refund_of(refund, RefundState.PENDING), now=NOW)
    assert (story.held(), story.fresh().status) == (0, "funded")
    outcomes.refund_seen(refund.pk, refund_of(refund, RefundState.SUCCEEDED), now=NOW)
    assert (story.fresh().status, platform()) == ("refunded", 0)


def test_a_part_may_be_refunded_and_the_rest_released() -> None:
    story = escrow().delivered()
    finish_refund(story.refund(3_000))
    assert (story.fresh().status, story.free()) == ("delivered", 7_000)
    release = story.release()
    assert (release.amount, release.fee) == (7_000, 350)
    outcomes.release_seen(release.pk, transfer(release), now=NOW)
    assert (story.payable(), story.held(), platform()) == (6_650, 0, 350)


def test_a_refund_that_fails_later_brings_the_money_back_into_escrow() -> None:
    story = escrow().funded()
    refund = sent(story.refund(10_000))
    outcomes.refund_seen(refund.pk, refund_of(refund, RefundState.SUCCEEDED), now=NOW)
    for _ in range(2):
        outcomes.refund_seen(refund.pk, refund_of(refund, RefundState.FAILED, back="txn_back"), now=NOW)
    assert not outcomes.refund_seen(refund.pk, refund_of(refund, RefundState.SUCCEEDED), now=NOW)
    assert (story.fresh().status, story.free(), fresh(refund).status) == ("funded", 10_000, "failed_returned")


def test_after_a_release_nothing_is_refunded_before_the_freelancers_part_is_back() -> None:
    story = escrow().released()
    refund = story.refund(4_000)
    reversal = refund.children.get()
    assert (refund.status, reversal.amount, reversal.fee) == ("reversing", 4_000, 200)
    assert reversal.params["amount"] == 3_800
    assert not operations.mark_sent(refund, now=NOW)
    assert operations.why_not_sent(refund, now=NOW).startswith("It waits")
    with pytest.raises(TooEarly):
        outcomes.refund_seen(refund.pk, refund_of(refund, RefundState.SUCCEEDED), now=NOW)
    sent(reversal)
    assert outcomes.reversal_seen(reversal.pk, reversal_of(reversal), now=NOW)
    assert not outcomes.reversal_seen(reversal.pk, reversal_of(reversal), now=NOW)
    assert (fresh(refund).status, story.held(), story.free()) == ("requested", 4_000, 0)
    finish_refund(sent(fresh(refund)))
    assert (story.payable(), story.held(), ledger.balance("revenue:fee:usd")) == (5_700, 0, 300)
    assert Operation.objects.get(kind="release").status == "partly_reversed"
    assert story.fresh().status == "released"


def test_a_released_milestone_is_refunded_whole_in_parts_to_the_last_cent() -> None:
    story = escrow(10_001).released()
    for part in (3_333, 3_333, 3_335):
        finish_refund(story.refund(part))
    assert (story.payable(), story.held(), platform(), ledger.balance("revenue:fee:usd")) == (0, 0, 0, 0)
    assert (Operation.objects.get(kind="release").status, story.fresh().status) == ("fully_reversed", "refunded")


def test_a_reversal_that_fails_takes_its_refund_with_it() -> None:
    story = escrow().released()
    refund = story.refund(4_000)
    reversal = sent(refund.children.get())
    outcomes.rejected(reversal, code="balance_insufficient", error="It has not enough.", now=NOW)
    assert (fresh(refund).status, story.payable(), story.held()) == ("rejected", 9_500, 0)


def test_money_that_was_withdrawn_cannot_be_asked_back() -> None:
    story = escrow().released()
    story.withdraw(9_000)
    assert refused(lambda: story.refund(4_000)) == "insufficient_funds"
    assert not Operation.objects.filter(kind__in=["refund", "reversal"]).exists()


# ---------------------------------------------------------------- the bank's disputes
def test_a_dispute_freezes_the_milestone_and_a_won_one_lets_it_go() -> None:
    story = escrow().delivered()
    deposit = deposit_of(story)
    assert outcomes.dispute_seen(objection(deposit, withdrawn=False), now=NOW)
    assert (platform(), story.fresh().status, fresh(deposit).status) == (10_000, "disputed", "disputed")
    assert refused(story.release) == "milestone_disputed"
    outcomes.dispute_seen(objection(deposit), now=NOW)
    assert (platform(), ledger.balance("receivable:dispute:usd")) == (-1_500, 10_000)
    outcomes.dispute_seen(objection(deposit, BankDispute.WON), now=NOW)
    assert story.fresh().status == "disputed", "the money is not back yet"
    outcomes.dispute_seen(objection(deposit, BankDispute.WON, reinstated=True), now=NOW)
    assert not outcomes.dispute_seen(objection(deposit), now=NOW)
    assert (platform(), ledger.balance("receivable:dispute:usd")) == (8_500, 0)
    assert (story.fresh().status, fresh(deposit).status) == ("delivered", "held")
    assert story.release()


def test_a_lost_dispute_takes_what_is_held() -> None:
    story = escrow().funded()
    deposit = deposit_of(story)
    for _ in range(2):
        outcomes.dispute_seen(objection(deposit, BankDispute.LOST), now=NOW)
    assert (story.held(), platform(), ledger.balance("receivable:dispute:usd")) == (0, -1_500, 0)
    assert (story.fresh().status, fresh(deposit).status, Dispute.objects.get().status) == ("lost", "lost", "lost")


def test_a_dispute_that_is_lost_after_the_release_is_our_loss() -> None:
    story = escrow().released()
    outcomes.dispute_seen(objection(deposit_of(story), BankDispute.LOST), now=NOW)
    assert (story.payable(), ledger.balance("expense:dispute:usd"), story.fresh().status) == (9_500, 10_000, "released")


def test_a_dispute_parks_what_was_not_sent_and_unparks_it_when_won() -> None:
    story = escrow().delivered()
    release, deposit = story.release(), deposit_of(story)
    outcomes.dispute_seen(objection(deposit), now=NOW)
    assert (fresh(release).dispatch, fresh(release).error_code) == ("parked", "milestone_disputed")
    assert not operations.mark_sent(release, now=NOW)
    outcomes.dispute_seen(objection(deposit, BankDispute.WON, reinstated=True), now=NOW)
    assert fresh(release).dispatch == "ready"
    sent(fresh(release))


def test_a_release_that_is_unknown_when_a_dispute_opens_may_still_turn_out_done() -> None:
    story = escrow().delivered()
    release = sent(story.release())
    operations.unknown(release, error="read timeout")
    services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")
    assert not operations.mark_sent(release, now=NOW), "it could be the first to arrive"
    assert operations.why_not_sent(release, now=NOW) == "Its milestone is disputed."
    outcomes.release_seen(release.pk, transfer(release), now=NOW)
    milestone = story.fresh()
    assert (milestone.status, milestone.resumes_as, story.payable()) == ("disputed", "released", 9_500)


def test_a_lost_dispute_gives_up_a_parked_release_and_takes_its_hold() -> None:
    story = escrow().delivered()
    release = story.release()
    outcomes.dispute_seen(objection(deposit_of(story), BankDispute.LOST), now=NOW)
    assert (fresh(release).status, story.held(), story.fresh().status) == ("rejected", 0, "lost")


def test_a_dispute_about_an_unknown_charge_is_told_again_later() -> None:
    story = escrow().funded()
    deposit = deposit_of(story)
    deposit.charge = "ch_other"
    with pytest.raises(TooEarly):
        outcomes.dispute_seen(objection(deposit), now=NOW)
    assert fresh(deposit).status == Status.HELD
