"""What we believe of Stripe, asked of a Stripe: of the local one always, of Stripe's test mode when there is a key.

    STRIPE_TEST_KEY=sk_test_… STRIPE_TEST_ACCOUNT=acct_… make test ARGS="tests/payments/contract"

The account is a connected one of that platform whose transfers are enabled. Nothing here is ordered from the local
Stripe that Stripe itself would not do too; what is made stays in the test mode's lists.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import stripe as sdk

from contralock.local.waiting import wait_until
from payments import gateway
from payments.facts import PaymentState, RefundState
from payments.gateway import GatewayError, Read, Send, Verdict, objects
from payments.gateway.calls import Effect
from payments.money import Money
from tests.payments.live import use
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import LocalStripe, local_stripe, local_stripe_process

__all__ = ["local_stripe", "local_stripe_process"]

KEY = os.environ.get("STRIPE_TEST_KEY", "")
ACCOUNT = os.environ.get("STRIPE_TEST_ACCOUNT", "")
SLOW = 30.0
"""Seconds within which Stripe's lists and events have what was made."""


@dataclass
class Target:
    """A Stripe, and who is paid there."""

    api: Any
    payee: str

    def pay(self, intent: str, card: str = "pm_card_visa") -> None:
        """As the client's browser does."""
        back = "https://example.com/paid"
        self.api.payment_intents.confirm(intent, {"payment_method": card, "return_url": back})


TARGETS = ["local", "stripe"] if KEY else ["local"]


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest, settings: Any) -> Iterator[Target]:
    if request.param == "local":
        server: LocalStripe = request.getfixturevalue("local_stripe")
        use(settings, server.url)
        cast_ = Cast(server.url, server.key)
        yield Target(cast_.api, cast_.payee())
        return
    if not (KEY.startswith(("sk_test_", "rk_test_")) and ACCOUNT):
        pytest.fail("STRIPE_TEST_KEY is a test key (sk_test_…), and STRIPE_TEST_ACCOUNT a connected account of it.")
    settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY, settings.STRIPE_TIMEOUT = "", KEY, 25.0
    yield Target(sdk.StripeClient(KEY, stripe_version=settings.STRIPE_API_VERSION).v1, ACCOUNT)


def fresh() -> tuple[str, str]:
    """An operation's id, and its key."""
    operation = str(uuid.uuid4())
    return operation, f"contract:{operation}:1"


def deposit(amount: int = 10_000, **more: Any) -> Send:
    operation, key = fresh()
    params = {
        "amount": amount,
        "currency": "usd",
        "automatic_payment_methods": {"enabled": True},
        "transfer_group": f"milestone_{operation}",
        "metadata": {"operation_id": operation},
    }
    return Send(effect=Effect.PAYMENT_INTENT, params=params | more, key=key)


def paid(target: Target, amount: int = 10_000) -> dict[str, Any]:
    """A PaymentIntent that succeeded, with its charge."""
    intent = gateway.send(deposit(amount))["id"]
    target.pay(intent)
    return gateway.read(Read(what="payment_intents", id=intent, params={"expand": ["latest_charge"]}))


def transfer(intent: dict[str, Any], to: str, amount: int) -> Send:
    operation, key = fresh()
    params = {
        "amount": amount,
        "currency": "usd",
        "destination": to,
        "source_transaction": intent["latest_charge"]["id"],
        "transfer_group": intent["transfer_group"],
        "metadata": {"operation_id": operation},
    }
    return Send(effect=Effect.TRANSFER, params=params, key=key)


def refund(intent: dict[str, Any], amount: int) -> Send:
    operation, key = fresh()
    params = {"payment_intent": intent["id"], "amount": amount, "metadata": {"operation_id": operation}}
    return Send(effect=Effect.REFUND, params=params, key=key)


def reversal(made: dict[str, Any], amount: int) -> Send:
    operation, key = fresh()
    params = {"amount": amount, "metadata": {"operation_id": operation}}
    return Send(effect=Effect.REVERSAL, parent=made["id"], params=params, key=key)


def operation_of(call: Send) -> str:
    return str(call.params["metadata"]["operation_id"])


def just_now() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


# ------------------------------------------------------------------ keys
def test_the_same_key_and_bytes_make_one_object(target: Target) -> None:
    call = deposit()
    assert gateway.send(call)["id"] == gateway.send(call)["id"]


def test_the_same_key_with_other_bytes_is_refused_and_looked_for(target: Target) -> None:
    call = deposit()
    gateway.send(call)
    with pytest.raises(GatewayError) as refused:
        gateway.send(Send(effect=call.effect, params={**call.params, "amount": 9_999}, key=call.key))
    assert (refused.value.verdict, refused.value.facts.kind) == (Verdict.ADOPT, "idempotency_error")


def test_the_order_of_parameters_does_not_make_other_bytes(target: Target) -> None:
    call = deposit()
    backwards = Send(effect=call.effect, params=dict(reversed(list(call.params.items()))), key=call.key)
    assert gateway.send(call)["id"] == gateway.send(backwards)["id"]


# ------------------------------------------------------------------ a deposit
def test_an_intent_that_nobody_paid_yet_has_received_nothing(target: Target) -> None:
    payment = objects.payment(gateway.send(deposit()))
    assert (payment.state, payment.received, payment.charge) == (PaymentState.AWAITING, None, "")


def test_a_paid_intent_says_what_was_received_and_by_which_charge(target: Target) -> None:
    intent = paid(target)
    payment = objects.payment(intent)
    assert (payment.state, payment.received) == (PaymentState.SUCCEEDED, Money(10_000, "usd"))
    assert payment.charge.startswith(("ch_", "py_"))


def test_a_declined_card_leaves_the_intent_to_be_paid_again(target: Target) -> None:
    intent = gateway.send(deposit())["id"]
    with pytest.raises(sdk.CardError):
        target.pay(intent, "pm_card_visa_chargeDeclined")
    target.pay(intent)
    assert gateway.read(Read(what="payment_intents", id=intent))["status"] == "succeeded"


def test_an_amount_below_the_least_is_refused_for_good(target: Target) -> None:
    with pytest.raises(GatewayError) as refused:
        gateway.send(deposit(1))
    assert (refused.value.code, refused.value.verdict) == ("amount_too_small", Verdict.FAIL)


# ------------------------------------------------------------------ a release
def test_a_transfer_from_a_charge_is_found_by_its_group(target: Target) -> None:
    intent = paid(target)
    call = transfer(intent, target.payee, 9_500)
    made = gateway.send(call)
    found = objects.transfer(made)
    assert (found.amount.minor, found.destination) == (9_500, target.payee)
    assert found.balance_transaction.startswith("txn_")
    wait_until(
        lambda: gateway.find(call, operation_id=operation_of(call), since=just_now()), limit=SLOW, what="the transfer"
    )
    assert cast(Any, gateway.find(call, operation_id=operation_of(call), since=just_now()))["id"] == made["id"]


def test_more_than_the_charge_is_never_transferred(target: Target) -> None:
    intent = paid(target)
    gateway.send(transfer(intent, target.payee, 9_500))
    with pytest.raises(GatewayError) as refused:
        gateway.send(transfer(intent, target.payee, 9_500))
    assert refused.value.facts.status == 400
    assert refused.value.verdict in (Verdict.FAIL, Verdict.NEW_KEY, Verdict.MANUAL)


def test_an_account_that_is_none_of_ours_is_paid_nothing(target: Target) -> None:
    intent = paid(target)
    with pytest.raises(GatewayError) as refused:
        gateway.send(transfer(intent, "acct_1032D82eZvKYlo2C", 9_500))
    assert refused.value.verdict == Verdict.FAIL


def test_what_a_key_caused_is_named_by_the_event(target: Target) -> None:
    call = transfer(paid(target), target.payee, 9_500)
    made = gateway.send(call)
    query = Read(what="events", params={"type": "transfer.created"})

    def caused() -> bool:
        events = gateway.pages(query)
        return any(
            event["data"]["object"]["id"] == made["id"]
            and (event.get("request") or {}).get("idempotency_key") == call.key
            for event in events
        )

    wait_until(caused, limit=SLOW, what="the event of the transfer")


def test_part_of_a_transfer_comes_back_and_no_more_than_all_of_it(target: Target) -> None:
    made = gateway.send(transfer(paid(target), target.payee, 9_500))
    back = objects.reversal(gateway.send(reversal(made, 500)))
    assert (back.amount.minor, back.transfer) == (500, made["id"])
    with pytest.raises(GatewayError):
        gateway.send(reversal(made, 9_500))


# ------------------------------------------------------------------ a refund
def test_a_refund_is_found_by_its_intent(target: Target) -> None:
    intent = paid(target)
    call = refund(intent, 4_000)
    made = objects.refund(gateway.send(call))
    assert made.amount.minor == 4_000
    assert made.state in (RefundState.SUCCEEDED, RefundState.PENDING)
    found = gateway.find(call, operation_id=operation_of(call), since=just_now())
    assert cast(Any, found)["id"] == made.id


def test_refunds_add_up_to_no_more_than_the_charge(target: Target) -> None:
    intent = paid(target)
    gateway.send(refund(intent, 6_000))
    with pytest.raises(GatewayError) as refused:
        gateway.send(refund(intent, 6_000))
    assert refused.value.facts.status == 400
    assert refused.value.verdict != Verdict.RETRY


def test_a_charge_that_was_refunded_whole_is_looked_for_when_it_is_refunded_again(target: Target) -> None:
    intent = paid(target)
    gateway.send(refund(intent, 10_000))
    with pytest.raises(GatewayError) as refused:
        gateway.send(refund(intent, 10_000))
    assert (refused.value.code, refused.value.verdict) == ("charge_already_refunded", Verdict.ADOPT)


# ------------------------------------------------------------------ looking
def test_a_balance_transaction_names_what_moved_the_balance(target: Target) -> None:
    made = gateway.send(transfer(paid(target), target.payee, 9_500))
    move = gateway.read(Read(what="balance_transactions", id=made["balance_transaction"]))
    assert (move["source"], move["amount"], move["currency"]) == (made["id"], -9_500, "usd")
    assert move["reporting_category"] == "transfer"


def test_what_is_not_there_is_a_doubt_and_no_refusal(target: Target) -> None:
    with pytest.raises(GatewayError) as refused:
        gateway.read(Read(what="transfers", id="tr_there_is_none"))
    assert (refused.value.facts.status, refused.value.verdict) == (404, Verdict.UNKNOWN)


def test_a_key_that_stripe_does_not_know_parks_the_payment(target: Target, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_nobody_has_this_one"
    with pytest.raises(GatewayError) as refused:
        gateway.send(deposit())
    assert (refused.value.facts.status, refused.value.verdict) == (401, Verdict.PARK)
