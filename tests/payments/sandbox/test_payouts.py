"""Payouts: whose bank, out of which balance, and that `paid` is not the end."""

from __future__ import annotations

import pytest
import stripe

from payments.sandbox.control import Control, Refused
from tests.payments.sandbox.cast import Cast


def test_a_payout_of_the_connected_account_debits_its_balance_at_once(cast: Cast, control: Control) -> None:
    payee = cast.wealthy(5_000)
    payout = cast.api.payouts.create(
        {"amount": 3_000, "currency": "usd", "metadata": {"operation_id": "w"}}, {"stripe_account": payee}
    )
    assert (payout.status, payout.automatic) == ("pending", False)
    assert control.balance(payee) == (2_000, 0)
    [event] = cast.api.events.list({"type": "payout.created"}, {"stripe_account": payee}).data
    assert event.account == payee


def test_without_stripe_account_the_platforms_own_bank_is_paid(cast: Cast, control: Control) -> None:
    control.fund(5_000)
    cast.api.payouts.create({"amount": 3_000, "currency": "usd"})
    assert control.balance(control.platform) == (2_000, 0)
    [effect] = control.effects().without_operation
    assert effect.account == control.platform


def test_a_payout_over_the_available_balance_is_balance_insufficient(cast: Cast, control: Control) -> None:
    payee, charge = cast.payee(), cast.charge(10_000)
    cast.transfer(5_000, payee, source_transaction=charge)
    with pytest.raises(stripe.InvalidRequestError) as short:
        cast.api.payouts.create({"amount": 1, "currency": "usd"}, {"stripe_account": payee})
    assert short.value.code == "balance_insufficient"
    control.settle()
    assert cast.api.payouts.create({"amount": 5_000, "currency": "usd"}, {"stripe_account": payee}).amount == 5_000


def test_a_payout_moves_on_to_paid_and_can_still_fail_a_day_later(cast: Cast, control: Control) -> None:
    payee = cast.wealthy(5_000)
    options: stripe.RequestOptions = {"stripe_account": payee}
    payout = cast.api.payouts.create({"amount": 5_000, "currency": "usd"}, options)
    control.payout(payout.id, "in_transit")
    control.payout(payout.id, "paid")
    control.advance_clock(24 * 3600)
    control.payout(payout.id, "failed", "account_closed")

    failed = cast.api.payouts.retrieve(payout.id, {"expand": ["failure_balance_transaction"]}, options)
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert isinstance(failed.failure_balance_transaction, stripe.BalanceTransaction)
    assert failed.failure_balance_transaction.net == 5_000
    assert control.balance(payee) == (5_000, 0)
    events = [event.type for event in cast.api.events.list({"limit": 100}, options).data if "payout" in event.type]
    assert events == ["payout.failed", "payout.paid", "payout.updated", "payout.created"]
    with pytest.raises(stripe.InvalidRequestError) as unusable:
        cast.api.payouts.create({"amount": 100, "currency": "usd"}, options)
    assert unusable.value.code == "bank_account_unusable"


def test_a_payout_never_goes_back(cast: Cast, control: Control) -> None:
    payee = cast.wealthy()
    payout = cast.api.payouts.create({"amount": 100, "currency": "usd"}, {"stripe_account": payee})
    control.payout(payout.id, "failed")
    for status in ("in_transit", "paid", "failed"):
        with pytest.raises(Refused, match="cannot become"):
            control.payout(payout.id, status)
    assert control.balance(payee) == (5_000, 0)


def test_only_a_pending_payout_can_be_canceled(cast: Cast, control: Control) -> None:
    payee = cast.wealthy()
    options: stripe.RequestOptions = {"stripe_account": payee}
    one = cast.api.payouts.create({"amount": 100, "currency": "usd"}, options)
    canceled = cast.api.payouts.cancel(one.id, {}, options)
    assert canceled.status == "canceled"
    assert isinstance(canceled.failure_balance_transaction, str)
    assert control.balance(payee) == (5_000, 0)
    other = cast.api.payouts.create({"amount": 100, "currency": "usd"}, options)
    control.payout(other.id, "in_transit")
    with pytest.raises(stripe.InvalidRequestError, match="Payouts can only be canceled while they are pending"):
        cast.api.payouts.cancel(other.id, {}, options)


def test_a_payout_needs_a_bank_in_its_currency_and_an_onboarded_account(cast: Cast, control: Control) -> None:
    payee = cast.wealthy(5_000, "US", "gbp")
    with pytest.raises(stripe.InvalidRequestError, match=r"don't have any external accounts in that currency \(gbp\)"):
        cast.api.payouts.create({"amount": 100, "currency": "gbp"}, {"stripe_account": payee})
    control.account(payee, "payouts_lost")
    with pytest.raises(stripe.InvalidRequestError) as lost:
        cast.api.payouts.create({"amount": 100, "currency": "usd"}, {"stripe_account": payee})
    assert lost.value.code == "payouts_not_allowed"
    assert control.effects().totals == {}


def test_huf_is_paid_out_in_hundreds(cast: Cast) -> None:
    payee = cast.wealthy(100_000, "HU", "huf")
    with pytest.raises(stripe.InvalidRequestError, match="divisible by 100"):
        cast.api.payouts.create({"amount": 50_050, "currency": "huf"}, {"stripe_account": payee})
    assert cast.api.payouts.create({"amount": 50_000, "currency": "huf"}, {"stripe_account": payee}).amount == 50_000


def test_an_account_with_its_schedule_left_daily_is_paid_out_before_the_withdrawal(
    cast: Cast, control: Control
) -> None:
    left, manual = cast.wealthy(), cast.wealthy()
    cast.api.balance_settings.update(
        {"payments": {"payouts": {"schedule": {"interval": "manual"}}}}, {"stripe_account": manual}
    )
    settings = cast.api.balance_settings.retrieve({}, {"stripe_account": manual})
    assert settings.payments.payouts is not None
    assert settings.payments.payouts.schedule is not None
    assert settings.payments.payouts.schedule.interval == "manual"

    [automatic] = control.automatic_payouts()

    assert control.balance(left) == (0, 0)
    assert control.balance(manual) == (5_000, 0)
    assert cast.api.payouts.retrieve(automatic, {}, {"stripe_account": left}).automatic
