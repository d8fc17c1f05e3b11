"""Balance, fees and balance transactions; disputes, which move balance too."""

from __future__ import annotations

import pytest
import stripe

from payments.sandbox.control import Control, Refused
from tests.payments.sandbox.cast import Cast


def test_a_charge_is_pending_less_its_fee_until_it_settles(cast: Cast, control: Control) -> None:
    cast.payment(10_000)
    assert _balance(cast) == (0, 9_680)
    [move] = cast.api.balance_transactions.list().data
    assert (move.amount, move.fee, move.net, move.status) == (10_000, 320, 9_680, "pending")
    assert (move.type, move.reporting_category) == ("charge", "charge")
    assert [detail.type for detail in move.fee_details] == ["stripe_fee"]

    control.advance_clock(2 * 24 * 3600 - 60)
    assert _balance(cast) == (0, 9_680)
    control.advance_clock(60)
    assert _balance(cast) == (9_680, 0)
    assert cast.api.balance_transactions.retrieve(move.id).status == "available"


def test_the_fee_can_be_set_to_nothing(cast: Cast, control: Control) -> None:
    control.settings(fee_basis_points=0, fee_fixed=0, settlement_seconds=0)
    cast.payment(10_000)
    assert _balance(cast) == (10_000, 0)


def test_the_bypass_pending_card_is_available_at_once(cast: Cast) -> None:
    cast.payment(10_000, method="pm_card_bypassPending")
    assert _balance(cast) == (9_680, 0)


def test_settling_tells_the_accounts_it_changed(cast: Cast, control: Control) -> None:
    payee = cast.payee()
    cast.transfer(100, payee, source_transaction=cast.charge())
    control.settle(payee)
    assert _balance(cast)[0] == 0
    [event] = cast.api.events.list({"type": "balance.available"}, {"stripe_account": payee}).data
    assert event.data.object["available"][0]["amount"] == 100


def test_an_unknown_setting_or_a_wrong_type_is_refused(control: Control) -> None:
    with pytest.raises(Refused, match="no setting fee"):
        control.settings(fee=1)
    with pytest.raises(Refused, match="must be a int"):
        control.settings(fee_fixed="30")


def test_every_balance_is_the_sum_of_its_transactions(cast: Cast, control: Control) -> None:
    payee, charge = cast.payee(), cast.charge(10_000)
    transfer = cast.transfer(5_000, payee, source_transaction=charge)
    cast.api.transfers.reversals.create(transfer.id, {"amount": 500})
    refund = cast.api.refunds.create({"charge": charge, "amount": 700})
    control.refund(refund.id, "failed")
    control.open_dispute(charge, amount=300)
    control.settle()
    payout = cast.api.payouts.create({"amount": 1_000, "currency": "usd"}, {"stripe_account": payee})
    control.payout(payout.id, "failed")

    for account in (control.platform, payee):
        moves = cast.api.balance_transactions.list({"limit": 100}, {"stripe_account": account}).data
        assert sum(move.net for move in moves) == sum(control.balance(account))
        assert all(move.net == move.amount - move.fee for move in moves)
        for move in moves:
            full = cast.api.balance_transactions.retrieve(move.id, {"expand": ["source"]}, {"stripe_account": account})
            assert not isinstance(full.source, str | None)


def test_a_dispute_takes_amount_and_fee_and_winning_gives_the_amount_back(cast: Cast, control: Control) -> None:
    charge = cast.charge(10_000)
    dispute = control.open_dispute(charge)
    assert (dispute["status"], dispute["amount"]) == ("needs_response", 10_000)
    assert sum(_balance(cast)) == 9_680 - 10_000 - 1_500
    assert cast.api.charges.retrieve(charge).disputed

    cast.api.disputes.update(dispute["id"], {"evidence": {"uncategorized_text": "it was delivered"}, "submit": True})
    assert cast.api.disputes.retrieve(dispute["id"]).status == "under_review"
    control.dispute(dispute["id"], "won")

    assert sum(_balance(cast)) == 9_680 - 1_500
    won = cast.api.disputes.retrieve(dispute["id"])
    assert [move.net for move in won.balance_transactions] == [-11_500, 10_000]
    types = [event.type for event in cast.api.events.list({"limit": 100}).data if "dispute" in event.type]
    assert types[::-1] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]
    assert cast.api.refunds.create({"charge": charge}).amount == 10_000


def test_a_dispute_that_is_closed_is_lost(cast: Cast, control: Control) -> None:
    dispute = control.open_dispute(cast.charge(10_000))
    assert cast.api.disputes.close(dispute["id"]).status == "lost"
    assert sum(_balance(cast)) == 9_680 - 11_500
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        cast.api.disputes.close(dispute["id"])
    with pytest.raises(Refused, match="closed already"):
        control.dispute(dispute["id"], "won")


def test_an_inquiry_moves_nothing_until_it_becomes_a_dispute(cast: Cast, control: Control) -> None:
    charge = cast.charge(10_000)
    inquiry = control.open_dispute(charge, inquiry=True)
    assert inquiry["status"] == "warning_needs_response"
    assert sum(_balance(cast)) == 9_680
    assert control.dispute(inquiry["id"], "withdrawn")["status"] == "needs_response"
    assert sum(_balance(cast)) == 9_680 - 11_500
    with pytest.raises(Refused, match="withdrawn already"):
        control.dispute(inquiry["id"], "withdrawn")
    [listed] = cast.api.disputes.list({"charge": charge}).data
    assert listed.id == inquiry["id"]


def test_the_dispute_card_is_disputed_with_its_payment(cast: Cast) -> None:
    charge = cast.charge(method="pm_card_createDispute")
    assert cast.api.charges.retrieve(charge).disputed


def _balance(cast: Cast) -> tuple[int, int]:
    balance = cast.api.balance.retrieve()
    return balance.available[0].amount, balance.pending[0].amount
