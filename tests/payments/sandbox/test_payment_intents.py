"""Payments as the paper's section 1 has them, through the real SDK."""

from __future__ import annotations

from functools import partial

import pytest
import stripe

from payments.sandbox.control import Control
from tests.payments.sandbox.cast import Cast


def test_a_payment_goes_from_intent_to_charge_and_latest_charge_is_an_id(cast: Cast) -> None:
    intent = cast.api.payment_intents.create(
        {
            "amount": 10_000,
            "currency": "USD",
            "automatic_payment_methods": {"enabled": True},
            "transfer_group": "milestone_1",
            "description": "Logo",
            "metadata": {"operation_id": "op", "milestone": "1"},
        }
    )
    assert (intent.status, intent.amount_received, intent.currency) == ("requires_payment_method", 0, "usd")
    assert intent.client_secret is not None
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    assert intent.automatic_payment_methods is not None
    assert not intent.livemode

    paid = cast.api.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})

    assert (paid.status, paid.amount_received) == ("succeeded", 10_000)
    assert isinstance(paid.latest_charge, str)
    charge = cast.api.charges.retrieve(paid.latest_charge)
    assert (charge.amount, charge.transfer_group, charge.payment_intent) == (10_000, "milestone_1", intent.id)
    assert charge.metadata.to_dict() == {"operation_id": "op", "milestone": "1"}
    assert charge.paid


def test_the_balance_transaction_is_null_at_success_and_comes_with_charge_updated(cast: Cast, control: Control) -> None:
    control.settings(capture="manual")
    charge = cast.charge()
    assert cast.api.charges.retrieve(charge).balance_transaction is None
    assert _types(cast) == {"payment_intent.created", "charge.succeeded", "payment_intent.succeeded"}

    control.capture(charge)

    assert isinstance(cast.api.charges.retrieve(charge).balance_transaction, str)
    assert "charge.updated" in _types(cast)


def test_the_events_of_success_show_no_balance_transaction_even_when_it_follows_at_once(cast: Cast) -> None:
    cast.payment()
    [succeeded] = cast.api.events.list({"type": "charge.succeeded"}).data
    [updated] = cast.api.events.list({"type": "charge.updated"}).data
    assert succeeded.data.object["balance_transaction"] is None
    assert updated.data.object["balance_transaction"].startswith("txn_")
    assert updated.to_dict()["data"]["previous_attributes"] == {"balance_transaction": None}


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ],
)
def test_a_declined_card_is_402_and_the_intent_can_be_paid_again(
    cast: Cast, control: Control, method: str, code: str, decline_code: str
) -> None:
    intent = cast.api.payment_intents.create({"amount": 5000, "currency": "usd"})
    with pytest.raises(stripe.CardError) as declined:
        cast.api.payment_intents.confirm(intent.id, {"payment_method": method})
    assert declined.value.http_status == 402
    assert declined.value.code == code
    assert declined.value.error is not None
    assert declined.value.error.decline_code == decline_code

    again = cast.api.payment_intents.retrieve(intent.id)
    assert (again.status, again.amount_received) == ("requires_payment_method", 0)
    assert again.last_payment_error is not None
    assert control.effects().totals == {}
    assert cast.api.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status == "succeeded"
    assert "payment_intent.payment_failed" in _types(cast)


def test_a_card_given_by_number_behaves_as_that_test_card(cast: Cast) -> None:
    method = cast.api.payment_methods.create(
        {"type": "card", "card": {"number": "4000000000000002", "exp_month": 12, "exp_year": 2040, "cvc": "123"}}
    )
    with pytest.raises(stripe.CardError):
        cast.payment(method=method.id)
    token = cast.api.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    assert cast.payment(method=token.id).status == "succeeded"


def test_a_number_that_is_no_test_card_is_refused(cast: Cast) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="not one of Stripe's test cards"):
        cast.api.payment_methods.create({"type": "card", "card": {"number": "4111111111111111"}})


def test_a_bank_debit_is_processing_until_the_bank_answers(cast: Cast, control: Control) -> None:
    intent = cast.payment(method="pm_usBankAccount")
    assert (intent.status, intent.amount_received) == ("processing", 0)
    assert control.effects().totals == {}

    control.payment_intent(intent.id, "succeeded")
    paid = cast.api.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert (paid.status, paid.amount_received) == ("succeeded", 10_000)
    assert isinstance(paid.latest_charge, stripe.Charge)
    assert paid.latest_charge.status == "succeeded"

    other = cast.payment(method="pm_usBankAccount")
    control.payment_intent(other.id, "failed")
    assert cast.api.payment_intents.retrieve(other.id).status == "requires_payment_method"


def test_authentication_is_asked_for_and_can_fail(cast: Cast, control: Control) -> None:
    intent = cast.payment(method="pm_card_authenticationRequired")
    assert intent.status == "requires_action"
    control.payment_intent(intent.id, "failed")
    assert cast.api.payment_intents.retrieve(intent.id).status == "requires_payment_method"


def test_a_canceled_intent_cannot_be_confirmed_and_a_succeeded_one_not_canceled(cast: Cast) -> None:
    intent = cast.api.payment_intents.create({"amount": 500, "currency": "eur", "payment_method": "pm_card_visa"})
    canceled = cast.api.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    paid = cast.payment()
    for act in (
        partial(cast.api.payment_intents.confirm, intent.id),
        partial(cast.api.payment_intents.cancel, paid.id),
    ):
        with pytest.raises(stripe.InvalidRequestError) as error:
            act()
        assert error.value.code == "payment_intent_unexpected_state"
        assert error.value.error is not None
        assert error.value.error.payment_intent is not None


def test_an_update_merges_metadata_and_an_empty_value_removes_a_key(cast: Cast) -> None:
    intent = cast.api.payment_intents.create({"amount": 500, "currency": "usd", "metadata": {"a": "1", "b": "2"}})
    updated = cast.api.payment_intents.update(intent.id, {"metadata": {"b": "", "3": "c"}, "amount": 700})
    assert updated.metadata.to_dict() == {"a": "1", "3": "c"}
    assert updated.amount == 700
    paid = cast.payment()
    with pytest.raises(stripe.InvalidRequestError, match="cannot change amount"):
        cast.api.payment_intents.update(paid.id, {"amount": 700})


def test_a_currency_that_is_converted_settles_in_another(cast: Cast, control: Control) -> None:
    control.settings(conversion={"eur": ["usd", 1.1]})
    charge = cast.api.charges.retrieve(cast.charge(1000, "eur"), {"expand": ["balance_transaction"]})
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert (charge.balance_transaction.currency, charge.balance_transaction.amount) == ("usd", 1100)
    assert charge.balance_transaction.exchange_rate == pytest.approx(1.1)


def _types(cast: Cast) -> set[str]:
    return {event.type for event in cast.api.events.list({"limit": 100}).data}
