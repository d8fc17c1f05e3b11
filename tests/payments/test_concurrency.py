"""Everybody at the same moment, each with a connection of their own."""

from __future__ import annotations

from functools import partial

from payments import operations, outcomes, services
from payments.facts import PayoutState
from payments.models import Operation
from payments.services import Requested
from payments.states import Dispatch
from tests.payments.marks import COMMITTED
from tests.payments.story import (
    NOW,
    at_once,
    escrow,
    fresh,
    or_refusal,
    payment,
    payout,
    reversal_of,
    sent,
    transfer,
    usd,
)

pytestmark = COMMITTED


def test_paying_eight_times_at_once_is_one_deposit() -> None:
    story = escrow()
    asked = at_once(*[lambda: services.request_deposit(story.milestone.pk, by=story.client)] * 8)
    assert sorted(one.created for one in asked) == [False] * 7 + [True]
    assert Operation.objects.count() == 1


def test_approving_eight_times_at_once_is_one_release() -> None:
    story = escrow().delivered()
    asked = at_once(*[lambda: services.request_release(story.milestone.pk, by=story.client)] * 8)
    assert sorted(one.created for one in asked) == [False] * 7 + [True]
    assert (story.free(), len({one.operation.pk for one in asked})) == (0, 1)


def test_of_a_release_and_a_refund_of_one_milestone_one_wins() -> None:
    for _ in range(5):
        story = escrow().funded()
        release = or_refusal(lambda: services.request_release(story.milestone.pk, by=story.client))  # noqa: B023
        refund = or_refusal(
            lambda: services.request_refund(story.milestone.pk, amount=usd(1), by=story.client, reason="x")  # noqa: B023
        )
        said = at_once(release, refund)
        won = [one for one in said if isinstance(one, Requested)]
        lost = [one for one in said if isinstance(one, str)]
        assert (len(won), len(lost)) == (1, 1)
        assert lost == ["release_in_progress" if won[0].operation.kind == "release" else "refund_in_progress"]


def test_of_eight_partial_refunds_of_a_third_none_is_too_much() -> None:
    story = escrow().funded()
    at_once(*[or_refusal(partial(story.refund, 3_000 + number)) for number in range(8)])
    assert story.free() >= 10_000 - 3_007
    assert Operation.objects.filter(kind="refund").count() == 1


def test_a_dispute_that_races_a_release_either_refuses_it_or_parks_it() -> None:
    for _ in range(5):
        story = escrow().delivered()
        release = or_refusal(lambda: services.request_release(story.milestone.pk, by=story.client))  # noqa: B023
        objection = or_refusal(lambda: services.open_dispute(story.milestone.pk, by=story.client, reason="x"))  # noqa: B023
        said, _ = at_once(release, objection)
        assert story.fresh().status == "disputed"
        if isinstance(said, Requested):
            assert fresh(said.operation).dispatch == Dispatch.PARKED
            assert not operations.mark_sent(said.operation, now=NOW)
        else:
            assert said == "milestone_disputed"


def test_a_dispute_that_races_the_sending_finds_it_parked_or_sent() -> None:
    for _ in range(5):
        story = escrow().delivered()
        release = story.release()
        went, _ = at_once(
            lambda: operations.mark_sent(release, now=NOW),  # noqa: B023
            or_refusal(lambda: services.open_dispute(story.milestone.pk, by=story.client, reason="x")),  # noqa: B023
        )
        assert fresh(release).dispatch == (Dispatch.SENT if went else Dispatch.PARKED)


def test_two_workers_that_send_the_same_operation_use_the_same_key() -> None:
    story = escrow().delivered()
    release = story.release()
    workers = [fresh(release) for _ in range(4)]
    assert any(at_once(*[lambda one=one: operations.mark_sent(one, now=NOW) for one in workers]))
    assert {fresh(release).idempotency_key} == {one.idempotency_key for one in workers}


def test_one_transfer_told_by_eight_at_once_is_booked_once() -> None:
    story = escrow().delivered()
    release = sent(story.release())
    told = at_once(*[lambda: outcomes.release_seen(release.pk, transfer(release), now=NOW)] * 8)
    assert sorted(told) == [False] * 7 + [True]
    assert story.payable() == 9_500


def test_a_confirmation_that_races_a_rejection_leaves_one_of_them() -> None:
    for _ in range(5):
        story = escrow().delivered()
        release = sent(story.release())

        def confirm() -> bool:
            try:
                return outcomes.release_seen(release.pk, transfer(release), now=NOW)  # noqa: B023
            except outcomes.Contradiction:
                return False

        told = at_once(confirm, lambda: outcomes.rejected(release, code="x", error="x", now=NOW))  # noqa: B023
        assert sorted(told) == [False, True]
        assert story.payable() == (9_500 if told[0] else 0)


def test_withdrawals_at_once_take_no_more_than_there_is() -> None:
    story = escrow().released()
    at_once(*[or_refusal(partial(story.withdraw, 9_000 + number)) for number in range(8)])
    assert Operation.objects.filter(kind="withdrawal").count() == 1
    assert story.payable() >= 0


def test_a_withdrawal_that_races_a_reversal_cannot_take_the_same_money() -> None:
    for _ in range(5):
        story = escrow().released()
        at_once(or_refusal(lambda: story.withdraw(9_500)), or_refusal(lambda: story.refund(10_000)))  # noqa: B023
        kinds = set(Operation.objects.filter(payout_account=story.account).values_list("kind", flat=True))
        assert kinds in ({"release", "withdrawal"}, {"release", "reversal"})
        assert story.payable() == 0


def test_everything_about_one_escrow_at_once_ends_as_one_after_the_other_would() -> None:
    story = escrow()
    deposit = story.deposit()
    paid = lambda: outcomes.deposit_seen(deposit.pk, payment(deposit), livemode=False, now=NOW)  # noqa: E731
    at_once(*[paid] * 4, *[or_refusal(story.release)] * 2)
    release = story.release()
    done = lambda: outcomes.release_seen(release.pk, transfer(release), now=NOW)  # noqa: E731
    at_once(*[done] * 3, or_refusal(story.release), or_refusal(lambda: story.withdraw(9_500)))
    if not Operation.objects.filter(kind="withdrawal").exists():
        story.withdraw(9_500)
    withdrawal = Operation.objects.get(kind="withdrawal")
    states = [PayoutState.PAID, PayoutState.FAILED, PayoutState.IN_TRANSIT, PayoutState.FAILED]
    at_once(
        *[
            lambda state=state: outcomes.withdrawal_seen(
                withdrawal.pk,
                payout(withdrawal, state, back="txn_back" if state == PayoutState.FAILED else ""),
                now=NOW,
            )
            for state in states
        ]
    )
    assert (fresh(withdrawal).status, story.payable()) == ("failed_returned", 9_500)


def test_a_reversal_told_by_many_begins_one_refund() -> None:
    story = escrow().released()
    refund = story.refund(4_000)
    reversal = sent(refund.children.get())
    at_once(*[lambda: outcomes.reversal_seen(reversal.pk, reversal_of(reversal), now=NOW)] * 6)
    assert (fresh(refund).status, story.held(), story.free()) == ("requested", 4_000, 0)
