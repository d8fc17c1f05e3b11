"""What people may ask for, and how they are told that they may not."""

from __future__ import annotations

from typing import Any

import pytest

from contralock.accounts.models import User
from payments import ledger, operations, outcomes, services
from payments.facts import BankDispute
from payments.models import Dispute, Milestone, Operation, PayoutAccount, Project
from payments.money import Money
from payments.refusals import Refused
from tests.payments.story import (
    NOW,
    Escrow,
    deposit_of,
    escrow,
    finish_refund,
    fresh,
    objection,
    payment,
    refused,
    sent,
    transfer,
    usd,
    user,
)

pytestmark = pytest.mark.django_db


# ---------------------------------------------------------------- projects and milestones
def test_a_client_opens_a_project_with_a_freelancer() -> None:
    client, freelancer = user("client"), user("freelancer")
    project = services.create_project(client=client, freelancer_id=freelancer.pk, title=" A bridge ", currency="eur")
    milestone = services.add_milestone(project=project, by=client, title="Its plan", amount=5_000)
    assert (project.title, project.currency, milestone.status) == ("A bridge", "eur", "draft")


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"currency": "USD"}, "invalid_currency"),
        ({"currency": "chf"}, "invalid_currency"),
        ({"currency": 5}, "invalid_currency"),
        ({"title": " "}, "invalid_title"),
        ({"title": "x" * 201}, "invalid_title"),
        ({"title": "a\0b"}, "invalid_title"),
        ({"title": None}, "invalid_title"),
        ({"freelancer_id": 0}, "no_such_freelancer"),
    ],
    ids=str,
)
def test_a_project_that_cannot_be_is_refused(other: dict[str, Any], code: str) -> None:
    asked: dict[str, Any] = {
        "client": user("client"),
        "freelancer_id": user("freelancer").pk,
        "title": "x",
        "currency": "usd",
    }
    assert refused(lambda: services.create_project(**asked | other)) == code
    assert not Project.objects.exists()


def test_a_freelancer_opens_no_project_and_hires_no_client() -> None:
    client, freelancer = user("client"), user("freelancer")
    ask = services.create_project
    assert (
        refused(lambda: ask(client=freelancer, freelancer_id=freelancer.pk, title="x", currency="usd"))
        == "not_a_client"
    )
    assert (
        refused(lambda: ask(client=client, freelancer_id=client.pk, title="x", currency="usd")) == "no_such_freelancer"
    )


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (49, "amount_too_small"), (100_000_000, "amount_too_large"), (0, "invalid_amount"), (-5, "invalid_amount"),
        (50.0, "invalid_amount"), (True, "invalid_amount"), ("50", "invalid_amount"), (None, "invalid_amount"),
        (2**63, "invalid_amount"),
    ],
)  # fmt: skip
def test_an_amount_that_no_card_can_be_charged_is_refused(amount: object, code: str) -> None:
    project = escrow().milestone.project
    ask = lambda: services.add_milestone(project=project, by=project.client, title="x", amount=amount)  # noqa: E731
    assert refused(ask) == code
    assert Milestone.objects.count() == 1


def test_another_client_adds_no_milestone() -> None:
    project = escrow().milestone.project
    ask = lambda: services.add_milestone(project=project, by=user("client"), title="x", amount=5_000)  # noqa: E731
    assert refused(ask) == "not_your_project"


def test_work_is_delivered_once_and_by_its_freelancer() -> None:
    story = escrow()

    def ask(by: User) -> Milestone:
        return services.deliver(story.milestone.pk, by=by)

    assert refused(lambda: ask(story.freelancer)) == "not_funded"
    story.funded()
    assert refused(lambda: ask(story.client)) == "not_your_milestone"
    first = ask(story.freelancer).delivered_at
    assert (ask(story.freelancer).delivered_at, story.fresh().status) == (first, "delivered")
    finish_refund(story.refund(10_000))
    assert refused(lambda: ask(story.freelancer)) == "already_settled"


# ---------------------------------------------------------------- deposits
def test_a_double_click_on_paying_gives_one_deposit() -> None:
    story = escrow()
    first, second = (services.request_deposit(story.milestone.pk, by=story.client) for _ in range(2))
    assert (first.created, second.created, first.operation) == (True, False, second.operation)
    assert story.fresh().status == "funding"
    outcomes.deposit_seen(first.operation.pk, payment(first.operation), livemode=False, now=NOW)
    assert refused(story.deposit) == "already_funded"


def test_nobody_pays_for_another_clients_milestone() -> None:
    story = escrow()
    for somebody in (user("client"), story.freelancer, story.staff):
        assert refused(lambda by=somebody: services.request_deposit(story.milestone.pk, by=by)) == "not_your_milestone"  # type: ignore[misc]
    assert refused(lambda: services.request_deposit(0, by=story.client)) == "no_such_milestone"


# ---------------------------------------------------------------- releases
def test_approving_twice_gives_one_release_also_when_it_is_done() -> None:
    story = escrow().delivered()
    first = services.request_release(story.milestone.pk, by=story.client)
    again = services.request_release(story.milestone.pk, by=story.client)
    outcomes.release_seen(first.operation.pk, transfer(first.operation), now=NOW)
    done = services.request_release(story.milestone.pk, by=story.client)
    assert [first.created, again.created, done.created] == [True, False, False]
    assert first.operation == again.operation == done.operation
    assert story.payable() == 9_500


def test_a_release_is_refused_to_who_did_not_pay() -> None:
    story = escrow().delivered()
    for somebody in (user("client"), story.freelancer):
        assert refused(lambda by=somebody: services.request_release(story.milestone.pk, by=by)) == "not_your_milestone"  # type: ignore[misc]


def test_a_release_needs_money_and_somewhere_to_send_it() -> None:
    story = escrow()
    assert refused(story.release) == "not_funded"
    story.funded()
    PayoutAccount.objects.update(transfers_enabled=False)
    assert refused(story.release) == "payout_account_not_ready"
    PayoutAccount.objects.all().delete()
    assert refused(story.release) == "payout_account_missing"
    assert story.free() == 10_000


def test_after_a_refund_there_is_nothing_to_release() -> None:
    story = escrow().funded()
    refund = story.refund(10_000, by=story.client)
    assert refused(story.release) == "refund_in_progress"
    finish_refund(refund)
    assert refused(story.release) == "already_refunded"


@pytest.mark.parametrize(("bps", "fee"), [(0, 0), (500, 500), (9_999, 9_999)])
def test_the_fee_is_the_settings(settings: Any, bps: int, fee: int) -> None:
    settings.PLATFORM_FEE_BPS = bps
    story = escrow().released()
    assert (story.payable(), ledger.balance("revenue:fee:usd")) == (10_000 - fee, fee)


# ---------------------------------------------------------------- withdrawals
def test_a_freelancer_withdraws_what_is_theirs_and_no_more() -> None:
    story = escrow().released()
    with pytest.raises(Refused, match=r"You asked for 95\.01 usd, and 95\.00 usd is yours to withdraw") as refusal:
        story.withdraw(9_501)
    assert refusal.value.code == "insufficient_funds"
    withdrawal = story.withdraw(9_500)
    assert (withdrawal.stripe_account, story.payable()) == (story.account.stripe_account, 0)
    assert "destination" not in withdrawal.params


def test_a_double_click_on_withdrawing_gives_one_payout() -> None:
    story = escrow().released()
    first, second = (services.request_withdrawal(by=story.freelancer, amount=usd(4_000)) for _ in range(2))
    assert (first.created, second.created, first.operation) == (True, False, second.operation)
    assert refused(lambda: story.withdraw(1_000)) == "withdrawal_in_progress"
    assert story.payable() == 5_500


def test_a_withdrawal_needs_an_account_that_pays_out() -> None:
    story = escrow().released()
    assert refused(lambda: services.request_withdrawal(by=story.client, amount=usd(1))) == "payout_account_missing"
    PayoutAccount.objects.update(payouts_enabled=False)
    assert refused(lambda: story.withdraw(1)) == "payout_account_not_ready"


@pytest.mark.parametrize(
    ("amount", "code"), [(Money(0, "usd"), "invalid_amount"), (Money(150, "huf"), "invalid_amount")]
)
def test_a_payout_that_no_bank_takes_is_refused(amount: Money, code: str) -> None:
    story = escrow().released()
    assert refused(lambda: services.request_withdrawal(by=story.freelancer, amount=amount)) == code


# ---------------------------------------------------------------- refunds
def test_a_client_takes_money_back_before_delivery_only() -> None:
    story = escrow().funded()
    assert story.refund(1_000, by=story.client)
    later = escrow().delivered()
    assert refused(lambda: later.refund(1_000, by=later.client)) == "refund_needs_staff"
    assert refused(lambda: later.refund(1_000, by=user("client"))) == "not_your_milestone"
    assert refused(lambda: later.refund(1_000, by=later.freelancer)) == "not_your_milestone"
    assert later.refund(1_000, by=later.staff)


def test_a_double_click_on_refunding_gives_one_refund() -> None:
    story = escrow().funded()
    first, second = (
        services.request_refund(story.milestone.pk, amount=usd(4_000), by=story.client, reason="x") for _ in range(2)
    )
    assert (first.created, second.created, first.operation) == (True, False, second.operation)
    assert refused(lambda: story.refund(1_000)) == "refund_in_progress"


def test_partial_refunds_never_sum_up_to_more_than_was_paid() -> None:
    story = escrow().funded()
    finish_refund(story.refund(6_000))
    with pytest.raises(Refused, match=r"40\.01 usd was asked for, and 40\.00 usd of this milestone is left") as refusal:
        story.refund(4_001)
    assert refusal.value.code == "insufficient_funds"
    finish_refund(story.refund(4_000))
    assert story.fresh().status == "refunded"


def test_after_a_release_no_more_than_it_is_asked_back() -> None:
    story = escrow().released()
    finish_refund(story.refund(6_000))
    assert refused(lambda: story.refund(4_001)) == "insufficient_funds"
    finish_refund(story.refund(3_999))
    assert refused(lambda: story.refund(1)) == "amount_too_small"


@pytest.mark.parametrize(
    ("amount", "code"), [(Money(5, "eur"), "currency_mismatch"), (Money(0, "usd"), "invalid_amount")], ids=str
)
def test_a_refund_that_cannot_be_is_refused(amount: Money, code: str) -> None:
    story = escrow().funded()
    ask = lambda: services.request_refund(story.milestone.pk, amount=amount, by=story.client, reason="x")  # noqa: E731
    assert refused(ask) == code


def test_a_refund_waits_for_a_release_that_is_under_way() -> None:
    story = escrow().delivered()
    story.release()
    assert refused(lambda: story.refund(1_000)) == "release_in_progress"


def test_nothing_is_refunded_that_was_not_paid() -> None:
    assert refused(lambda: escrow().refund(1_000)) == "not_funded"


# ---------------------------------------------------------------- disputes
def disputed() -> tuple[Escrow, Dispute]:
    story = escrow().delivered()
    return story, services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")[0]


def test_while_a_dispute_is_open_no_money_moves() -> None:
    story, _ = disputed()
    assert refused(story.release) == "milestone_disputed"
    assert refused(lambda: story.refund(1_000)) == "milestone_disputed"
    assert refused(lambda: services.deliver(story.milestone.pk, by=story.freelancer)) == "milestone_disputed"
    assert story.free() == 10_000


def test_objecting_twice_is_one_dispute() -> None:
    story, dispute = disputed()
    again, new = services.open_dispute(story.milestone.pk, by=story.freelancer, reason="It does not.")
    assert (again, new) == (dispute, False)


@pytest.mark.parametrize(
    ("resolution", "kind", "amount"), [("release", "release", 10_000), ("refund", "refund", 10_000), ("dismiss", "", 0)]
)
def test_staff_decide_a_dispute_and_it_is_carried_out(resolution: str, kind: str, amount: int) -> None:
    story, dispute = disputed()
    decided = services.resolve_dispute(dispute.pk, by=story.staff, resolution=resolution, reason="We looked.")
    assert (decided.dispute.status, decided.dispute.resolution) == ("resolved", resolution)
    assert story.fresh().status == "delivered"
    assert [(o.kind, o.amount) for o in [decided.operation] if o] == ([(kind, amount)] if kind else [])
    again = lambda: services.resolve_dispute(dispute.pk, by=story.staff, resolution=resolution, reason="x")  # noqa: E731
    assert refused(again) == "already_resolved"


def test_a_release_that_a_dispute_parked_is_given_up_for_a_refund_and_goes_on_otherwise() -> None:
    for resolution, dispatch in (("refund", "rejected"), ("release", "ready"), ("dismiss", "ready")):
        story = escrow().delivered()
        release = story.release()
        dispute, _ = services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")
        assert fresh(release).dispatch == "parked"
        decided = services.resolve_dispute(dispute.pk, by=story.staff, resolution=resolution, reason="We looked.")
        assert fresh(release).dispatch == dispatch
        assert (decided.operation == release) == (resolution == "release")


def test_a_refund_after_a_release_that_a_dispute_parked_is_given_up_for_the_freelancer() -> None:
    story = escrow().released()
    refund = story.refund(4_000)
    dispute, _ = services.open_dispute(story.milestone.pk, by=story.freelancer, reason="It is mine.")
    decided = services.resolve_dispute(dispute.pk, by=story.staff, resolution="release", reason="It is.")
    assert (fresh(refund).status, fresh(refund.children.get()).status) == ("rejected", "rejected")
    assert (story.payable(), decided.operation) == (9_500, Operation.objects.get(kind="release"))


def test_a_decision_that_cannot_be_carried_out_is_not_taken() -> None:
    story = escrow().delivered()
    operations.unknown(sent(story.release()), error="read timeout")
    dispute, _ = services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")
    ask = lambda: services.resolve_dispute(dispute.pk, by=story.staff, resolution="refund", reason="x")  # noqa: E731
    assert refused(ask) == "release_in_progress"
    assert (Dispute.objects.get().status, story.fresh().status) == ("open", "disputed")


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"resolution": "burn"}, "invalid_resolution"),
        ({"reason": " "}, "reason_missing"),
        ({"dispute_id": 0}, "no_such_dispute"),
    ],
    ids=str,
)
def test_a_decision_that_cannot_be_is_refused(other: dict[str, Any], code: str) -> None:
    story, dispute = disputed()
    asked: dict[str, Any] = {"dispute_id": dispute.pk, "by": story.staff, "resolution": "release", "reason": "x"}
    assert refused(lambda: services.resolve_dispute(**asked | other)) == code
    assert refused(lambda: services.resolve_dispute(**asked | {"by": story.client})) == "staff_only"


def test_a_dispute_needs_a_reason_a_side_and_money() -> None:
    story = escrow()

    def ask(by: User, reason: str) -> object:
        return services.open_dispute(story.milestone.pk, by=by, reason=reason)

    assert refused(lambda: ask(story.client, "x")) == "not_funded"
    story.funded()
    assert refused(lambda: ask(user("client"), "x")) == "not_your_milestone"
    assert refused(lambda: ask(story.client, " ")) == "reason_missing"


def test_the_banks_dispute_is_not_decided_by_staff() -> None:
    story = escrow().delivered()
    outcomes.dispute_seen(objection(deposit_of(story)), now=NOW)
    dispute = Dispute.objects.get()
    ask = lambda: services.resolve_dispute(dispute.pk, by=story.staff, resolution="dismiss", reason="x")  # noqa: E731
    assert refused(ask) == "dispute_at_bank"


def test_with_two_disputes_the_milestone_stays_frozen_until_both_are_decided() -> None:
    story, ours = disputed()
    deposit = deposit_of(story)
    outcomes.dispute_seen(objection(deposit, withdrawn=False), now=NOW)
    services.resolve_dispute(ours.pk, by=story.staff, resolution="dismiss", reason="x")
    assert story.fresh().status == "disputed"
    outcomes.dispute_seen(objection(deposit, BankDispute.WON, withdrawn=False), now=NOW)
    assert story.fresh().status == "delivered"
