"""Webhooks, received by a real server and checked with the SDK: who hears what, and everything that goes wrong."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
import stripe

import payments.sandbox
from contralock.local.waiting import wait_until
from payments.sandbox.control import Control
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.receiver import Delivery, Receiver

PAYOUT_EVENTS: tuple[Literal["payout.created"], Literal["payout.updated"], Literal["payout.paid"]] = (
    "payout.created",
    "payout.updated",
    "payout.paid",
)


class Endpoint(NamedTuple):
    """A receiver and the secret that its deliveries are signed with."""

    receiver: Receiver
    secret: str

    def events(self) -> list[stripe.Event]:
        return [one.event(self.secret) for one in self.receiver.deliveries]

    def wait_for(self, number: int) -> list[stripe.Event]:
        self.receiver.wait_for(number)
        return self.events()


@pytest.fixture
def endpoint(cast: Cast, receiver: Receiver) -> Endpoint:
    """The platform's endpoint, for customers' events only: one call, one event."""
    made = cast.api.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    assert made.secret is not None
    return Endpoint(receiver, made.secret)


def test_an_event_is_delivered_signed_with_the_request_that_caused_it(cast: Cast, endpoint: Endpoint) -> None:
    customer = cast.api.customers.create({"name": "A"}, {"idempotency_key": "k"})
    [event] = endpoint.wait_for(1)
    assert (event.type, event.api_version, event.livemode) == ("customer.created", "2026-10-28.endive", False)
    assert event.data.object["id"] == customer.id
    assert event.request is not None
    assert customer.last_response is not None
    assert (event.request.idempotency_key, event.request.id) == ("k", customer.last_response.headers["Request-Id"])
    assert not hasattr(event, "account")
    assert cast.api.events.retrieve(event.id).id == event.id


def test_every_event_has_a_name_that_stripe_knows() -> None:
    known = Path(str(stripe.__file__)).with_name("_event.py").read_text()
    sources = [file.read_text() for file in (Path(payments.sandbox.__file__).parent / "resources").glob("*.py")]
    named = {name for text in sources for name in re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', text)}
    events = {name for name in named if not name.startswith(("individual.", "tos_acceptance.", "requirements."))}
    assert len(events) > 30
    assert {name for name in events if f'"{name}"' not in known} == set()


def test_pending_webhooks_is_counted_down_when_the_endpoint_took_it(cast: Cast, endpoint: Endpoint) -> None:
    cast.api.customers.create()
    [event] = endpoint.wait_for(1)
    wait_until(lambda: cast.api.events.retrieve(event.id).pending_webhooks == 0, limit=10, what="the count")


def test_connected_accounts_are_heard_on_the_connect_endpoint_with_its_own_secret(
    cast: Cast, control: Control, receiver: Receiver
) -> None:
    with Receiver() as connect_receiver:
        platform = cast.api.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
        connect = cast.api.webhook_endpoints.create(
            {"url": connect_receiver.url, "enabled_events": list(PAYOUT_EVENTS), "connect": True}
        )
        assert platform.secret is not None
        assert connect.secret is not None
        assert platform.secret != connect.secret
        payee = cast.wealthy()
        payout = cast.api.payouts.create({"amount": 100, "currency": "usd"}, {"stripe_account": payee})
        control.payout(payout.id, "in_transit")
        control.payout(payout.id, "paid")
        cast.payment()

        connect_receiver.wait_for(3)
        events = [one.event(connect.secret) for one in connect_receiver.deliveries]
        assert [event.type for event in events] == ["payout.created", "payout.updated", "payout.paid"]
        assert {event.account for event in events} == {payee}
        types = {event.type for event in receiver.wait_for_types("charge.updated", secret=platform.secret)}
        assert not {one for one in types if one.startswith(("payout", "account"))}
        with pytest.raises(stripe.SignatureVerificationError):
            connect_receiver.deliveries[0].event(platform.secret)


def test_the_secret_is_shown_once(cast: Cast, endpoint: Endpoint) -> None:
    [listed] = cast.api.webhook_endpoints.list().data
    assert not hasattr(listed, "secret")


def test_a_disabled_or_deleted_endpoint_hears_nothing(cast: Cast, endpoint: Endpoint, control: Control) -> None:
    [listed] = cast.api.webhook_endpoints.list().data
    cast.api.webhook_endpoints.update(listed.id, {"disabled": True})
    cast.api.customers.create()
    assert control.webhooks()["waiting"] == 0
    cast.api.webhook_endpoints.update(listed.id, {"disabled": False})
    cast.api.customers.create()
    endpoint.wait_for(1)
    assert cast.api.webhook_endpoints.delete(listed.id).deleted
    cast.api.customers.create()
    assert control.webhooks()["waiting"] == 0


def test_an_event_that_is_not_taken_is_sent_again_when_its_time_has_come(
    cast: Cast, endpoint: Endpoint, control: Control
) -> None:
    endpoint.receiver.answers = [500, 302]
    cast.api.customers.create()
    _wait_for_attempts(control, 1)
    assert control.webhooks()["waiting"] == 1
    control.advance_clock(5)
    _wait_for_attempts(control, 2)
    assert control.retry_webhooks() == 1
    events = endpoint.wait_for(3)
    assert len({event.id for event in events}) == 1
    _wait_for_attempts(control, 3)
    attempts = control.webhooks()["attempts"]
    assert [(one["attempt"], one["outcome"]) for one in attempts] == [(1, "500"), (2, "302"), (3, "200")]
    assert control.webhooks()["waiting"] == 0


def test_after_the_last_attempt_stripe_gives_up_and_the_event_can_still_be_read(
    cast: Cast, endpoint: Endpoint, control: Control
) -> None:
    control.settings(retry_seconds=[0.0])
    endpoint.receiver.answers = [500, 500]
    cast.api.customers.create()
    _wait_for_attempts(control, 2)
    assert control.webhooks()["waiting"] == 0
    [event] = cast.api.events.list({"type": "customer.created"}).data
    assert control.resend_webhook(event.id) == 1
    assert [one.id for one in endpoint.wait_for(3)] == [event.id] * 3


def test_a_duplicate_is_the_same_event_again(cast: Cast, endpoint: Endpoint, control: Control) -> None:
    control.webhook_fault("duplicate", copies=9, times=1)
    cast.api.customers.create()
    events = endpoint.wait_for(10)
    assert len({event.id for event in events}) == 1
    cast.api.customers.create()
    assert len({event.id for event in endpoint.wait_for(11)}) == 2


def test_a_twin_is_another_event_for_the_same_fact(cast: Cast, endpoint: Endpoint, control: Control) -> None:
    control.webhook_fault("twin", times=1)
    cast.api.customers.create()
    one, other = endpoint.wait_for(2)
    assert one.id != other.id
    assert one.data.object["id"] == other.data.object["id"]
    assert len(cast.api.events.list({"type": "customer.created"}).data) == 2


def test_a_dropped_webhook_leaves_its_event_to_be_listed(cast: Cast, endpoint: Endpoint, control: Control) -> None:
    control.webhook_fault("drop", type="customer.*", times=1)
    cast.api.customers.create({"name": "lost"})
    cast.api.customers.create({"name": "found"})
    [event] = endpoint.wait_for(1)
    assert event.data.object["name"] == "found"
    assert len(cast.api.events.list({"type": "customer.created"}).data) == 2


def test_events_can_be_held_and_sent_in_reverse(cast: Cast, endpoint: Endpoint, control: Control) -> None:
    control.hold_webhooks()
    made = [cast.api.customers.create().id for _ in range(5)]
    assert (control.webhooks()["parked"], endpoint.receiver.deliveries) == (5, [])
    assert control.flush_webhooks("reverse") == 5
    assert [event.data.object["id"] for event in endpoint.wait_for(5)] == made[::-1]
    cast.api.customers.create()
    endpoint.wait_for(6)


def test_a_delayed_event_is_overtaken(cast: Cast, endpoint: Endpoint, control: Control) -> None:
    control.webhook_fault("delay", seconds=3600, times=1)
    late, early = cast.api.customers.create().id, cast.api.customers.create().id
    assert [event.data.object["id"] for event in endpoint.wait_for(1)] == [early]
    control.advance_clock(3600)
    assert [event.data.object["id"] for event in endpoint.wait_for(2)] == [early, late]


def test_a_signature_with_another_secret_is_refused(cast: Cast, endpoint: Endpoint, control: Control) -> None:
    control.webhook_fault("wrong_secret", times=1)
    with pytest.raises(stripe.SignatureVerificationError, match="No signatures found"):
        _one(cast, endpoint).event(endpoint.secret)


def test_a_signature_of_yesterday_is_refused(cast: Cast, endpoint: Endpoint, control: Control) -> None:
    control.webhook_fault("timestamp", age=86_400, times=1)
    with pytest.raises(stripe.SignatureVerificationError, match="outside the tolerance"):
        _one(cast, endpoint).event(endpoint.secret)


def test_a_signature_of_tomorrow_is_taken_by_the_sdk_which_is_why_we_check_ourselves(
    cast: Cast, endpoint: Endpoint, control: Control
) -> None:
    control.webhook_fault("timestamp", age=-86_400, times=1)
    delivery = _one(cast, endpoint)
    assert delivery.event(endpoint.secret).type == "customer.created"
    signed_at = int(delivery.signature.partition(",")[0].removeprefix("t="))
    assert signed_at - time.time() > 80_000


def test_livemode_can_be_claimed(cast: Cast, endpoint: Endpoint, control: Control) -> None:
    control.webhook_fault("livemode", times=1)
    assert _one(cast, endpoint).event(endpoint.secret).livemode


def test_the_webhook_of_a_500_comes_hours_later(cast: Cast, endpoint: Endpoint, control: Control) -> None:
    control.fault("server_error", effect=True, late_webhook=7_200, path="/v1/customers", times=1)
    with pytest.raises(stripe.APIError):
        cast.api.customers.create({"name": "unseen"})
    cast.api.customers.create({"name": "seen"})
    assert [event.data.object["name"] for event in endpoint.wait_for(1)] == ["seen"]
    control.advance_clock(7_200)
    assert [event.data.object["name"] for event in endpoint.wait_for(2)] == ["seen", "unseen"]


def test_an_endpoint_that_does_not_listen_is_tried_again(cast: Cast, control: Control) -> None:
    with Receiver() as gone:
        url = gone.url
    cast.api.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    cast.api.customers.create()
    _wait_for_attempts(control, 1)
    assert "ClientConnectorError" in control.webhooks()["attempts"][0]["outcome"]
    assert control.webhooks()["waiting"] == 1


def test_a_reset_forgets_deliveries_and_orders(cast: Cast, endpoint: Endpoint, control: Control) -> None:
    control.hold_webhooks()
    control.webhook_fault("drop")
    cast.api.customers.create()
    control.reset()
    assert control.webhooks() == {"held": False, "waiting": 0, "parked": 0, "attempts": []}
    assert cast.api.webhook_endpoints.list().data == []


def _one(cast: Cast, endpoint: Endpoint) -> Delivery:
    cast.api.customers.create()
    return endpoint.receiver.wait_for(1)[0]


def _wait_for_attempts(control: Control, number: int) -> None:
    wait_until(lambda: len(control.webhooks()["attempts"]) >= number, limit=10, what=f"{number} attempts")
