"""Faults: what the SDK makes of each, and whether the money moved."""

from __future__ import annotations

import time
from typing import Any

import pytest
import stripe

from contralock.local.waiting import wait_until
from payments.sandbox.control import Control, Refused
from tests.payments.sandbox.cast import Cast, headers_of, sdk_for
from tests.payments.sandbox.wire import ask, connect, request_bytes


@pytest.fixture
def payee(cast: Cast, control: Control) -> str:
    """A payee, and a platform that can pay."""
    control.fund(1_000_000)
    return cast.payee()


@pytest.mark.parametrize(
    ("kind", "order", "error", "status", "moved"),
    [
        ("drop_before", {}, stripe.APIConnectionError, None, False),
        ("drop_after", {}, stripe.APIConnectionError, None, True),
        ("hang_before", {"seconds": 0.2}, stripe.APIConnectionError, None, False),
        ("hang_after", {"seconds": 0.2}, stripe.APIConnectionError, None, True),
        ("half_body", {}, stripe.APIConnectionError, None, True),
        ("html", {}, stripe.APIError, 502, False),
        ("html", {"effect": True}, stripe.APIError, 502, True),
        ("html", {"status": 200, "effect": True}, stripe.APIError, 200, True),
        ("server_error", {}, stripe.APIError, 500, False),
        ("server_error", {"effect": True}, stripe.APIError, 500, True),
        ("server_error", {"saved": False}, stripe.APIError, 500, False),
        ("rate_limit", {}, stripe.RateLimitError, 429, False),
        ("lock_timeout", {}, stripe.RateLimitError, 429, False),
        ("conflict", {}, stripe.APIError, 409, False),
        ("unauthorized", {}, stripe.AuthenticationError, 401, False),
        ("forbidden", {}, stripe.PermissionError, 403, False),
        ("error", {"status": 424, "code": "service_unavailable"}, stripe.APIError, 424, False),
        ("error", {"code": "payouts_not_allowed", "message": "no"}, stripe.InvalidRequestError, 400, False),
    ],
)
def test_each_fault_strikes_once_and_moves_money_as_it_says(
    cast: Cast,
    control: Control,
    payee: str,
    kind: str,
    order: dict[str, Any],
    error: type[stripe.StripeError],
    status: int | None,
    moved: bool,
) -> None:
    control.fault(kind, method="POST", path="/v1/transfers", times=1, **order)
    with pytest.raises(error) as struck:
        cast.transfer(100, payee, key="k", metadata={"operation_id": "op"})
    assert struck.value.http_status == status
    assert control.effects().count("op") == (1 if moved else 0)
    assert control.faults()[0]["spent"]

    remembered = kind in ("server_error", "error") and order.get("saved", True)
    if remembered:
        with pytest.raises(error) as again:
            cast.transfer(100, payee, key="k", metadata={"operation_id": "op"})
        assert headers_of(again.value)["Idempotent-Replayed"] == "true"
    else:
        cast.transfer(100, payee, key="k", metadata={"operation_id": "op"})
    assert control.effects().count("op") == (0 if remembered and not moved else 1)


def test_a_500_that_is_remembered_says_not_to_retry(cast: Cast, control: Control, payee: str) -> None:
    control.fault("server_error", path="/v1/transfers", times=1)
    with pytest.raises(stripe.APIError) as error:
        cast.transfer(100, payee)
    assert headers_of(error.value)["Stripe-Should-Retry"] == "false"
    assert error.value.error is not None
    assert error.value.error.type == "api_error"


@pytest.mark.parametrize(
    ("order", "header"),
    [
        ({"kind": "lock_timeout"}, "true"),
        ({"kind": "rate_limit"}, None),
        ({"kind": "rate_limit", "should_retry": True}, "true"),
    ],
)
def test_a_429_says_whether_to_retry(
    cast: Cast, control: Control, payee: str, order: dict[str, Any], header: str | None
) -> None:
    control.fault(**order)
    reply = ask(cast.url, "GET", "/v1/transfers")
    assert reply.status == 429
    assert reply.headers.get("stripe-should-retry") == header
    assert reply.json()["error"]["code"] == order["kind"]


def test_an_object_of_a_lost_answer_is_found_by_list_and_by_event(cast: Cast, control: Control, payee: str) -> None:
    control.fault("server_error", effect=True, path="/v1/transfers", times=1)
    with pytest.raises(stripe.APIError):
        cast.transfer(100, payee, key="k", transfer_group="g")
    [transfer] = cast.api.transfers.list({"transfer_group": "g"}).data
    [event] = cast.api.events.list({"type": "transfer.created"}).data
    assert event.data.object["id"] == transfer.id
    assert event.request is not None
    assert event.request.idempotency_key == "k"


def test_a_slow_call_has_its_effect_after_its_client_gave_up(cast: Cast, control: Control, payee: str) -> None:
    control.fault("slow", path="/v1/transfers", latency_ms=1_000, times=1)
    hasty = sdk_for(cast.url, patience=(1.0, 0.1))
    params: Any = {"amount": 100, "currency": "usd", "destination": payee, "metadata": {"operation_id": "op"}}
    with pytest.raises(stripe.APIConnectionError):
        hasty.v1.transfers.create(params, {"idempotency_key": "k"})
    assert control.effects().count("op") == 0
    with pytest.raises(stripe.APIError) as busy:
        cast.api.transfers.create(params, {"idempotency_key": "k"})
    assert busy.value.http_status == 409
    wait_until(lambda: control.effects().count("op") == 1, limit=10, what="the late effect")
    cast.api.transfers.create(params, {"idempotency_key": "k"})
    assert control.effects().count("op") == 1


def test_a_stalled_call_is_under_way_until_its_order_is_withdrawn(cast: Cast, control: Control, payee: str) -> None:
    order = control.fault("stall", path="/v1/transfers", times=1)
    hasty = sdk_for(cast.url, patience=(1.0, 0.1))
    params: Any = {"amount": 100, "currency": "usd", "destination": payee, "metadata": {"operation_id": "op"}}
    with pytest.raises(stripe.APIConnectionError):
        hasty.v1.transfers.create(params, {"idempotency_key": "k"})
    with pytest.raises(stripe.APIError) as busy:
        cast.api.transfers.create(params, {"idempotency_key": "k"})
    assert busy.value.http_status == 409
    assert control.effects().count("op") == 0
    control.clear_faults(order)
    wait_until(lambda: control.effects().count("op") == 1, limit=10, what="the late effect")
    cast.api.transfers.create(params, {"idempotency_key": "k"})
    assert control.effects().count("op") == 1


def test_a_hang_ends_when_the_client_goes(cast: Cast, control: Control, payee: str) -> None:
    control.fault("hang_after", path="/v1/transfers", seconds=600, times=1)
    with connect(cast.url) as line:
        line.sendall(request_bytes({"amount": "1", "currency": "usd", "destination": payee}, key="k"))
        wait_until(lambda: control.effects().totals != {}, limit=10, what="the effect")
    assert cast.transfer(1, payee, key="k").amount == 1


def test_latency_goes_together_with_another_fault(cast: Cast, control: Control, payee: str) -> None:
    control.fault("slow", latency_ms=100)
    control.fault("drop_after", path="/v1/transfers", times=1)
    began = time.monotonic()
    with pytest.raises(stripe.APIConnectionError):
        cast.transfer(100, payee, metadata={"operation_id": "op"})
    assert time.monotonic() - began >= 0.1
    assert control.effects().count("op") == 1


def test_a_fault_strikes_only_what_it_is_meant_for(cast: Cast, control: Control, payee: str) -> None:
    control.fault("rate_limit", method="GET", path="/v1/transfers")
    control.fault("drop_before", operation_id="unlucky")
    control.fault("forbidden", path="/v1/transfers/*")
    transfer = cast.transfer(1, payee, metadata={"operation_id": "lucky"})
    with pytest.raises(stripe.APIConnectionError):
        cast.transfer(1, payee, metadata={"operation_id": "unlucky"})
    with pytest.raises(stripe.RateLimitError):
        cast.api.transfers.list()
    with pytest.raises(stripe.PermissionError):
        cast.api.transfers.retrieve(transfer.id)
    assert cast.api.charges.list().data == []


def test_a_fault_can_let_the_first_pass(cast: Cast, control: Control, payee: str) -> None:
    control.fault("rate_limit", path="/v1/transfers", skip=1, times=1)
    cast.transfer(1, payee)
    with pytest.raises(stripe.RateLimitError):
        cast.transfer(1, payee)
    cast.transfer(1, payee)


def test_a_fault_by_chance_repeats_itself_with_its_seed(cast: Cast, control: Control) -> None:
    def run() -> list[int]:
        control.clear_faults()
        control.fault("rate_limit", probability=0.5, seed=7)
        return [ask(cast.url, "GET", "/v1/balance").status for _ in range(30)]

    first = run()
    assert set(first) == {200, 429}
    assert run() == first


def test_faults_are_seen_and_withdrawn(cast: Cast, control: Control) -> None:
    one, other = control.fault("rate_limit"), control.fault("drop_before")
    control.clear_faults(one)
    assert [fault["id"] for fault in control.faults()] == [other]
    control.clear_faults()
    assert cast.api.balance.retrieve().object == "balance"


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        ({"kind": "meteor"}, "kind must be one of"),
        ({"kind": "slow", "latency": 3}, "Unknown: latency"),
        ({"kind": "slow", "probability": 3}, "between 0 and 1"),
        ({"kind": "slow", "times": -1}, "number of matches"),
        ({"kind": "server_error", "effect": True, "saved": False}, "saved=false goes with effect=false"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(control: Control, order: dict[str, Any], complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        control.fault(**order)
    assert control.faults() == []


def test_the_sdks_own_retries_see_one_key(cast: Cast, control: Control, payee: str) -> None:
    control.fault("drop_after", path="/v1/transfers", times=1)
    retrying = stripe.StripeClient(
        "sk_test_local",
        base_addresses={"api": cast.url},
        max_network_retries=2,
        http_client=stripe.RequestsClient(timeout=5),
    )
    retrying.v1.transfers.create({"amount": 1, "currency": "usd", "destination": payee})
    assert control.effects().totals["transfer"]["usd"]["count"] == 1
