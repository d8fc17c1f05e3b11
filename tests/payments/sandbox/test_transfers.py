"""Transfers, their sources and their reversals."""

from __future__ import annotations

import pytest
import stripe

from payments.sandbox.control import Control
from tests.payments.sandbox.cast import Cast


def test_a_transfer_moves_available_balance_and_shows_on_both_sides(cast: Cast, control: Control) -> None:
    payee = cast.payee()
    control.fund(1000)
    transfer = cast.transfer(400, payee, transfer_group="milestone_1", metadata={"operation_id": "op"})

    assert control.balance(control.platform) == (600, 0)
    assert control.balance(payee) == (400, 0)
    full = cast.api.transfers.retrieve(
        transfer.id, {"expand": ["balance_transaction", "destination_payment.balance_transaction", "destination"]}
    )
    assert isinstance(full.balance_transaction, stripe.BalanceTransaction)
    assert (full.balance_transaction.net, full.balance_transaction.source) == (-400, transfer.id)
    assert (full.balance_transaction.type, full.balance_transaction.reporting_category) == ("transfer", "transfer")
    assert isinstance(full.destination_payment, stripe.Charge)
    assert isinstance(full.destination_payment.balance_transaction, stripe.BalanceTransaction)
    assert full.destination_payment.balance_transaction.net == 400
    assert isinstance(full.destination, stripe.Account)


def test_a_transfer_over_the_available_balance_is_balance_insufficient(cast: Cast, control: Control) -> None:
    payee = cast.payee()
    cast.payment(10_000)  # pending for two days
    with pytest.raises(stripe.InvalidRequestError) as short:
        cast.transfer(100, payee)
    assert (short.value.code, short.value.http_status) == ("balance_insufficient", 400)
    assert control.effects().totals.keys() == {"deposit"}

    control.advance_clock(2 * 24 * 3600)
    assert cast.transfer(100, payee).amount == 100


def test_a_transfer_out_of_a_pending_charge_succeeds_and_arrives_when_that_settles(
    cast: Cast, control: Control
) -> None:
    payee, charge = cast.payee(), cast.charge(10_000)
    transfer = cast.transfer(9_000, payee, source_transaction=charge)
    assert control.balance(payee) == (0, 9_000)
    assert control.balance(control.platform) == (0, 10_000 - 320 - 9_000)
    assert transfer.transfer_group is not None
    assert transfer.transfer_group.startswith("group_pi_")
    assert cast.api.charges.retrieve(charge).transfer_group == transfer.transfer_group

    control.settle()
    assert control.balance(payee) == (9_000, 0)


def test_transfers_out_of_a_charge_never_exceed_it_even_when_one_was_reversed(cast: Cast, control: Control) -> None:
    payee, charge = cast.payee(), cast.charge(10_000)
    first = cast.transfer(6_000, payee, source_transaction=charge)
    cast.transfer(4_000, payee, source_transaction=charge)
    cast.api.transfers.reversals.create(first.id)
    with pytest.raises(stripe.InvalidRequestError, match="must not exceed the source amount of") as error:
        cast.transfer(1, payee, source_transaction=charge)
    assert error.value.code is None
    assert control.effects().totals["transfer"]["usd"]["amount"] == 10_000


def test_without_an_amount_a_transfer_takes_all_that_is_left_of_its_charge(cast: Cast) -> None:
    payee, charge = cast.payee(), cast.charge(10_000)
    cast.transfer(6_000, payee, source_transaction=charge)
    rest = cast.api.transfers.create({"currency": "usd", "destination": payee, "source_transaction": charge})
    assert rest.amount == 4_000


def test_a_transfer_has_the_currency_of_the_charges_balance_transaction(cast: Cast) -> None:
    payee, charge = cast.payee(), cast.charge(10_000, "eur")
    with pytest.raises(stripe.InvalidRequestError, match="must be the same as the transfer currency") as error:
        cast.transfer(100, payee, source_transaction=charge)
    assert error.value.param == "currency"


def test_a_refund_of_the_charge_does_not_stop_a_transfer_of_the_same_money(cast: Cast, control: Control) -> None:
    payee, charge = cast.payee(), cast.charge(10_000)
    cast.api.refunds.create({"charge": charge, "amount": 9_000})
    cast.transfer(10_000, payee, source_transaction=charge)
    assert control.balance(control.platform) == (0, 10_000 - 320 - 9_000 - 10_000)


def test_the_destination_must_exist_and_be_able_to_receive(cast: Cast, control: Control) -> None:
    control.fund(1000)
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        cast.transfer(100, "acct_nobody")
    assert (unknown.value.code, unknown.value.param) == ("resource_missing", "destination")
    assert unknown.value.user_message == "No such destination: 'acct_nobody'"

    fresh = cast.api.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    with pytest.raises(stripe.InvalidRequestError) as unable:
        cast.transfer(100, fresh.id)
    assert unable.value.code == "insufficient_capabilities_for_transfer"

    payee = cast.payee()
    control.account(payee, "capability_lost")
    with pytest.raises(stripe.InvalidRequestError):
        cast.transfer(100, payee)
    assert control.effects().totals == {}


def test_a_failed_payment_is_no_source(cast: Cast) -> None:
    payee = cast.payee()
    intent = cast.api.payment_intents.create({"amount": 5000, "currency": "usd"})
    with pytest.raises(stripe.CardError):
        cast.api.payment_intents.confirm(intent.id, {"payment_method": "pm_card_chargeDeclined"})
    failed = cast.api.payment_intents.retrieve(intent.id).latest_charge
    assert isinstance(failed, str)
    with pytest.raises(stripe.InvalidRequestError):
        cast.transfer(100, payee, source_transaction=failed)


def test_a_reversal_takes_back_part_of_a_transfer_and_never_more_than_all(cast: Cast, control: Control) -> None:
    payee = cast.payee()
    control.fund(1000)
    transfer = cast.transfer(1000, payee)
    reversal = cast.api.transfers.reversals.create(transfer.id, {"amount": 300, "metadata": {"operation_id": "r"}})
    assert (control.balance(payee), control.balance(control.platform)) == ((700, 0), (300, 0))
    [move] = cast.api.balance_transactions.list({"source": reversal.id}).data
    assert (move.net, move.reporting_category, move.id) == (300, "transfer_reversal", reversal.balance_transaction)

    again = cast.api.transfers.retrieve(transfer.id)
    assert (again.amount_reversed, again.reversed) == (300, False)
    assert [one.id for one in again.reversals.data] == [reversal.id]
    with pytest.raises(stripe.InvalidRequestError, match="greater than the unreversed amount"):
        cast.api.transfers.reversals.create(transfer.id, {"amount": 701})
    cast.api.transfers.reversals.create(transfer.id)
    assert cast.api.transfers.retrieve(transfer.id).reversed
    with pytest.raises(stripe.InvalidRequestError, match="already fully reversed"):
        cast.api.transfers.reversals.create(transfer.id)
    assert len(cast.api.transfers.reversals.list(transfer.id).data) == 2
    assert cast.api.transfers.reversals.retrieve(transfer.id, reversal.id).amount == 300


def test_a_reversal_needs_the_connected_accounts_balance(cast: Cast, control: Control) -> None:
    payee = cast.payee()
    control.fund(1000)
    transfer = cast.transfer(1000, payee)
    cast.api.payouts.create({"amount": 900, "currency": "usd"}, {"stripe_account": payee})
    with pytest.raises(stripe.InvalidRequestError, match="does not have sufficient funds"):
        cast.api.transfers.reversals.create(transfer.id, {"amount": 101})
    assert control.effects().totals.keys() == {"transfer", "payout"}
    assert cast.api.transfers.reversals.create(transfer.id, {"amount": 100}).amount == 100


def test_a_transfer_whose_money_is_still_pending_can_be_reversed(cast: Cast, control: Control) -> None:
    payee, charge = cast.payee(), cast.charge(1000)
    transfer = cast.transfer(800, payee, source_transaction=charge)
    cast.api.transfers.reversals.create(transfer.id)
    assert control.balance(payee) == (0, 0)


def test_metadata_and_description_of_a_transfer_can_be_updated_nothing_else(cast: Cast, control: Control) -> None:
    control.fund(1000)
    transfer = cast.transfer(100, cast.payee())
    updated = cast.api.transfers.update(transfer.id, {"metadata": {"a": "b"}, "description": "x"})
    assert (updated.metadata.to_dict(), updated.description) == ({"a": "b"}, "x")
    with pytest.raises(stripe.InvalidRequestError) as error:
        cast.sdk.raw_request("post", f"/v1/transfers/{transfer.id}", amount=200)
    assert error.value.code == "parameter_unknown"
