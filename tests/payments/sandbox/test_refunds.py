"""Refunds: how much, out of which balance, and that a 200 is not the end of it."""

from __future__ import annotations

import pytest
import stripe

from payments.sandbox.control import Control
from tests.payments.sandbox.cast import Cast


def test_a_refund_takes_the_amount_and_keeps_stripes_fee(cast: Cast, control: Control) -> None:
    intent = cast.payment(10_000)
    refund = cast.api.refunds.create(
        {
            "payment_intent": intent.id,
            "amount": 4_000,
            "reason": "requested_by_customer",
            "metadata": {"operation_id": "r"},
        }
    )
    assert (refund.status, refund.charge, refund.payment_intent) == ("succeeded", intent.latest_charge, intent.id)
    assert control.balance(control.platform) == (0, 10_000 - 320 - 4_000)
    charge = cast.api.charges.retrieve(str(intent.latest_charge), {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (4_000, False)
    assert charge.refunds is not None
    assert [one.id for one in charge.refunds.data] == [refund.id]


def test_refunds_never_sum_to_more_than_the_charge(cast: Cast, control: Control) -> None:
    charge = cast.charge(10_000)
    cast.api.refunds.create({"charge": charge, "amount": 6_000})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount") as over:
        cast.api.refunds.create({"charge": charge, "amount": 4_001})
    assert (over.value.code, over.value.param) == (None, "amount")
    assert cast.api.refunds.create({"charge": charge}).amount == 4_000
    with pytest.raises(stripe.InvalidRequestError) as done:
        cast.api.refunds.create({"charge": charge, "amount": 1})
    assert done.value.code == "charge_already_refunded"
    assert control.effects().totals["refund"]["usd"]["amount"] == 10_000


def test_a_refund_without_balance_is_pending_until_there_is_some(cast: Cast, control: Control) -> None:
    charge = cast.charge(10_000)
    control.settle()
    control.fund(-9_680)
    refund = cast.api.refunds.create({"charge": charge})
    assert (refund.status, refund.pending_reason, refund.balance_transaction) == ("pending", "insufficient_funds", None)

    control.fund(20_000)

    paid = cast.api.refunds.retrieve(refund.id)
    assert (paid.status, paid.pending_reason) == ("succeeded", None)
    assert isinstance(paid.balance_transaction, str)
    assert control.balance(control.platform) == (10_000, 0)


def test_a_refund_can_fail_after_it_succeeded_and_its_money_comes_back(cast: Cast, control: Control) -> None:
    control.fund(1_000)
    refund = cast.api.refunds.create({"charge": cast.charge(10_000)})
    before = control.balance(control.platform)
    control.refund(refund.id, "failed")

    failed = cast.api.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert isinstance(failed.failure_balance_transaction, stripe.BalanceTransaction)
    assert (failed.failure_balance_transaction.net, failed.failure_balance_transaction.source) == (10_000, refund.id)
    assert sum(control.balance(control.platform)) == sum(before) + 10_000
    types = {event.type for event in cast.api.events.list({"limit": 100}).data}
    assert {"refund.created", "refund.updated", "refund.failed", "charge.refunded"} <= types
    assert cast.api.charges.retrieve(str(failed.charge)).amount_refunded == 0


def test_a_pending_refund_succeeds_when_the_bank_says_so(cast: Cast, control: Control) -> None:
    control.fund(1_000)
    charge = cast.charge(method="pm_card_pendingRefund")
    refund = cast.api.refunds.create({"charge": charge})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    control.refund(refund.id, "succeeded")
    assert cast.api.refunds.retrieve(refund.id).status == "succeeded"
    assert len(cast.api.balance_transactions.list({"source": refund.id}).data) == 1


def test_only_a_refund_that_waits_for_the_payer_can_be_canceled(cast: Cast, control: Control) -> None:
    refund = cast.api.refunds.create({"charge": cast.charge(method="pm_card_pendingRefund")})
    with pytest.raises(stripe.InvalidRequestError, match="requires_action"):
        cast.api.refunds.cancel(refund.id)
    control.refund(refund.id, "requires_action")
    assert cast.api.refunds.cancel(refund.id).status == "canceled"


@pytest.mark.parametrize("reason", ["", "because"])
def test_a_reason_is_one_of_stripes_words(cast: Cast, reason: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"payment_intent or charge|must be one of"):
        cast.api.refunds.create({"reason": reason})


def test_reverse_transfer_is_for_destination_charges(cast: Cast, control: Control) -> None:
    with pytest.raises(stripe.InvalidRequestError) as error:
        cast.api.refunds.create({"charge": cast.charge(), "reverse_transfer": True})
    assert error.value.param == "reverse_transfer"
    assert "refund" not in control.effects().totals


def test_a_disputed_charge_cannot_be_refunded(cast: Cast, control: Control) -> None:
    charge = cast.charge()
    control.open_dispute(charge)
    with pytest.raises(stripe.InvalidRequestError) as error:
        cast.api.refunds.create({"charge": charge})
    assert error.value.code == "charge_disputed"
    assert "refund" not in control.effects().totals


def test_refunds_are_listed_by_charge_and_by_payment(cast: Cast) -> None:
    first, second = cast.payment(), cast.payment()
    one = cast.api.refunds.create({"payment_intent": first.id, "amount": 100})
    cast.api.refunds.create({"payment_intent": second.id, "amount": 100})
    assert [refund.id for refund in cast.api.refunds.list({"payment_intent": first.id}).data] == [one.id]
    assert [refund.id for refund in cast.api.refunds.list({"charge": str(first.latest_charge)}).data] == [one.id]
    assert cast.api.refunds.update(one.id, {"metadata": {"a": "b"}}).metadata is not None
