"""The oracle: what counts as a movement of money, and whose it is."""

from __future__ import annotations

import pytest
import stripe

from payments.sandbox.control import Control, Refused
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.wire import ask


def test_every_kind_of_movement_is_counted_under_its_operation(cast: Cast, control: Control) -> None:
    control.fund(100_000)
    payee = cast.payee()
    charge = cast.charge(metadata={"operation_id": "deposit"})
    transfer = cast.transfer(500, payee, metadata={"operation_id": "release"})
    cast.api.transfers.reversals.create(transfer.id, {"amount": 100, "metadata": {"operation_id": "reversal"}})
    cast.api.refunds.create({"charge": charge, "amount": 200, "metadata": {"operation_id": "refund"}})
    payout = cast.api.payouts.create(
        {"amount": 300, "currency": "usd", "metadata": {"operation_id": "withdrawal"}}, {"stripe_account": payee}
    )
    control.payout(payout.id, "failed")

    found = control.effects()

    assert {name: [(one.type, one.amount) for one in row] for name, row in found.operations.items()} == {
        "deposit": [("deposit", 10_000)],
        "release": [("transfer", 500)],
        "reversal": [("reversal", 100)],
        "refund": [("refund", 200)],
        "withdrawal": [("payout", 300)],
    }
    assert found.without_operation == []
    assert found.totals["payout"]["usd"] == {"count": 1, "amount": 300, "undone_count": 1, "undone_amount": 300}
    assert found.totals["transfer"]["usd"] == {"count": 1, "amount": 500, "undone_count": 0, "undone_amount": 0}
    assert found.operations["withdrawal"][0].account == payee


def test_money_that_moved_twice_is_seen(cast: Cast, control: Control) -> None:
    control.fund(1000)
    payee = cast.payee()
    for key in ("one", "two"):
        cast.transfer(100, payee, key=key, metadata={"operation_id": "op"})
    assert control.effects().count("op") == 2
    assert control.effects().count("other") == 0


def test_a_transfer_made_by_hand_has_no_operation_and_no_key(cast: Cast, control: Control) -> None:
    control.fund(1000)
    payee = cast.payee()
    made = control.hand_made(destination=payee, amount=250, currency="usd")
    [effect] = control.effects().without_operation
    assert (effect.id, effect.amount, effect.type) == (made["id"], 250, "transfer")
    [event] = cast.api.events.list({"type": "transfer.created"}).data
    assert event.request is not None
    assert (event.request.id, event.request.idempotency_key) == (None, None)
    payout = control.hand_made(kind="payout", account=payee, amount=100, currency="usd")
    assert control.balance(payee) == (150, 0)
    assert cast.api.payouts.retrieve(payout["id"], {}, {"stripe_account": payee}).amount == 100
    with pytest.raises(Refused, match="balance_insufficient"):
        control.hand_made(destination=payee, amount=100_000, currency="usd")


def test_a_declined_payment_moved_nothing(cast: Cast, control: Control) -> None:
    with pytest.raises(stripe.CardError):
        cast.payment(method="pm_card_chargeDeclined", metadata={"operation_id": "op"})
    assert control.effects().count("op") == 0


def test_state_shows_every_object_and_no_secret(cast: Cast, control: Control) -> None:
    payment = cast.payment()
    made = cast.api.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["customer.created"]})
    state = control.state()
    assert payment.id in state["objects"]["payment_intent"]
    assert state["settings"]["fee_fixed"] == 30
    assert made.secret is not None
    assert made.secret not in str(state)


def test_reset_begins_anew(cast: Cast, control: Control) -> None:
    cast.payment()
    control.settings(fee_fixed=0)
    control.advance_clock(1_000_000)
    control.fault("drop_before")
    before = control.state()["now"]
    control.reset()
    state = control.state()
    assert state["objects"].keys() == {"account", "bank_account"}
    assert (state["settings"]["fee_fixed"], state["balances"], state["now"] < before) == (
        30,
        {control.platform: {}},
        True,
    )
    assert cast.api.balance.retrieve().available[0].amount == 0


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        ({"what": "weather"}, "what must be one of clock"),
        ({}, "what must be one of clock"),
        ({"what": "clock"}, "seconds is missing in the order"),
        ({"what": "clock", "seconds": -1}, "forward only"),
        ({"what": "payout", "id": "po_nobody", "to": "paid"}, "There is no payout po_nobody"),
        ({"what": "account", "id": "acct_1LocalPlatform0000", "to": "rich"}, "to must be one of onboarded"),
    ],
)
def test_an_order_that_cannot_be_done_says_why(cast: Cast, order: dict[str, object], complaint: str) -> None:
    import json
    import urllib.error
    import urllib.request

    request = urllib.request.Request(
        f"{cast.url}/_test/advance", json.dumps(order).encode(), {"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    with error.value:
        assert error.value.code == 400
        assert complaint in json.load(error.value)["error"]


def test_an_order_from_a_page_elsewhere_is_not_taken(cast: Cast, control: Control) -> None:
    """A browser sends forms and text across origins without asking; JSON it does not."""
    cast.payment()
    reply = ask(cast.url, "POST", "/_test/reset", headers={"Content-Type": "text/plain"})
    assert reply.status == 400
    assert control.effects().totals != {}
    assert ask(cast.url, "GET", "/_test/nothing").status == 404
