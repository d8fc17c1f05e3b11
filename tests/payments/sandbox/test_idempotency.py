"""Idempotency keys, as the paper's section 1 has them: what is remembered, what is not, and for how long."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest
import stripe

from contralock.local.waiting import wait_until
from payments.sandbox.control import Control
from tests.payments.sandbox.cast import Cast, headers_of
from tests.payments.sandbox.wire import ask, request_bytes

DAY = 24 * 3600


def test_the_same_key_gives_the_same_transfer_and_says_that_it_is_a_replay(cast: Cast, control: Control) -> None:
    payee = _rich_story(cast, control)
    first = cast.transfer(100, payee, key="k")
    again = cast.transfer(100, payee, key="k")
    assert again.id == first.id
    assert first.last_response is not None
    assert again.last_response is not None
    former, headers = first.last_response.headers, again.last_response.headers
    assert "Idempotent-Replayed" not in former
    assert headers["Idempotent-Replayed"] == "true"
    assert headers["Original-Request"] == former["Request-Id"] != headers["Request-Id"]
    assert control.effects().totals["transfer"]["usd"]["count"] == 1


def test_a_replay_shows_the_object_as_it_was(cast: Cast, control: Control) -> None:
    transfer = cast.transfer(100, _rich_story(cast, control), key="k", metadata={"a": "b"})
    cast.api.transfers.update(transfer.id, {"metadata": {"a": "c"}})
    cast.api.transfers.reversals.create(transfer.id)
    replayed = cast.transfer(100, str(transfer.destination), key="k", metadata={"a": "b"})
    assert (replayed.metadata.to_dict(), replayed.amount_reversed) == ({"a": "b"}, 0)


def test_a_key_with_other_parameters_is_an_idempotency_error(cast: Cast, control: Control) -> None:
    payee = _rich_story(cast, control)
    cast.transfer(100, payee, key="k")
    with pytest.raises(stripe.IdempotencyError, match="with the same parameters") as error:
        cast.transfer(101, payee, key="k")
    assert error.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        cast.api.payouts.create({"amount": 100, "currency": "usd"}, {"idempotency_key": "k"})
    assert control.effects().totals["transfer"]["usd"]["count"] == 1


def test_a_refusal_after_execution_began_is_replayed_even_when_the_reason_is_gone(cast: Cast, control: Control) -> None:
    payee = cast.payee()
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as short:
            cast.transfer(100, payee, key="k")
        assert short.value.code == "balance_insufficient"
        control.fund(1000)
    assert headers_of(short.value)["Idempotent-Replayed"] == "true"
    assert headers_of(short.value)["Stripe-Should-Retry"] == "false"
    assert cast.transfer(100, payee, key="k:2").amount == 100
    assert control.effects().totals["transfer"]["usd"]["count"] == 1


def test_refused_parameters_are_not_remembered(cast: Cast, control: Control) -> None:
    payee = _rich_story(cast, control)
    with pytest.raises(stripe.InvalidRequestError):
        cast.transfer(-1, payee, key="k")
    assert cast.transfer(100, payee, key="k").amount == 100


@pytest.mark.parametrize("kind", ["rate_limit", "lock_timeout", "conflict", "unauthorized", "forbidden"])
def test_what_is_refused_before_execution_is_not_remembered(cast: Cast, control: Control, kind: str) -> None:
    payee = _rich_story(cast, control)
    control.fault(kind, method="POST", path="/v1/transfers", times=1)
    with pytest.raises(stripe.StripeError):
        cast.transfer(100, payee, key="k")
    assert control.effects().totals == {}
    transfer = cast.transfer(100, payee, key="k")
    assert transfer.last_response is not None
    assert "Idempotent-Replayed" not in transfer.last_response.headers


def test_a_declined_card_is_remembered(cast: Cast) -> None:
    intent = cast.api.payment_intents.create({"amount": 500, "currency": "usd"})
    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            cast.api.payment_intents.confirm(
                intent.id, {"payment_method": "pm_card_chargeDeclined"}, {"idempotency_key": "k"}
            )
    assert headers_of(declined.value)["Idempotent-Replayed"] == "true"
    assert len(cast.api.charges.list({"payment_intent": intent.id}).data) == 1


def test_a_key_is_forgotten_after_24_hours_and_then_the_resend_is_a_new_transfer(cast: Cast, control: Control) -> None:
    payee = _rich_story(cast, control)
    first = cast.transfer(100, payee, key="k", metadata={"operation_id": "op"})
    control.advance_clock(DAY - 60)
    assert cast.transfer(100, payee, key="k", metadata={"operation_id": "op"}).id == first.id
    control.advance_clock(61)
    assert cast.transfer(100, payee, key="k", metadata={"operation_id": "op"}).id != first.id
    assert control.effects().count("op") == 2


def test_a_key_belongs_to_one_account(cast: Cast, control: Control) -> None:
    one, other = cast.wealthy(), cast.wealthy()
    payouts = [
        cast.api.payouts.create(
            {"amount": 100, "currency": "usd"}, {"stripe_account": account, "idempotency_key": "same"}
        ).id
        for account in (one, other)
    ]
    assert len(set(payouts)) == 2


def test_a_key_in_use_is_409_and_its_code_is_in_the_error(cast: Cast, control: Control) -> None:
    payee = _rich_story(cast, control)
    control.fault("slow", path="/v1/transfers", latency_ms=1_500, times=1)
    slow = threading.Thread(target=lambda: cast.transfer(100, payee, key="k"))
    slow.start()
    wait_until(lambda: control.faults()[0]["done"] == 1, limit=10, what="the slow call")
    with pytest.raises(stripe.APIError) as busy:
        cast.transfer(100, payee, key="k")
    assert (busy.value.http_status, busy.value.code) == (409, None)
    assert busy.value.error is not None
    assert busy.value.error.code == "idempotency_key_in_use"
    slow.join()
    cast.transfer(100, payee, key="k")
    assert control.effects().totals["transfer"]["usd"]["count"] == 1


def test_of_many_at_once_under_one_key_one_moves_money(cast: Cast, control: Control) -> None:
    payee = _rich_story(cast, control)
    ids: set[str] = set()

    def send() -> None:
        ids.add(cast.transfer(100, payee, key="k").id)

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 1
    assert control.effects().totals["transfer"]["usd"]["count"] == 1


def test_whoever_sends_again_under_its_key_until_answered_moves_money_once(cast: Cast, control: Control) -> None:
    """Every fault by chance, many at once, some with the latency that makes a second call meet the first."""
    control.settings(fee_fixed=0, fee_basis_points=0)
    payee = _rich_story(cast, control)
    for number, kind in enumerate(("drop_before", "drop_after", "half_body", "rate_limit", "lock_timeout", "conflict")):
        control.fault(kind, method="POST", path="/v1/transfers", probability=0.15, seed=number)
    control.fault("html", path="/v1/transfers", probability=0.15, effect=True, seed=20)
    control.fault("slow", path="/v1/transfers", latency_ms=20, probability=0.2, seed=21)

    names = [f"op{number}" for number in range(60)]

    def answered(name: str) -> bool:
        try:
            cast.transfer(1, payee, key=name, metadata={"operation_id": name})
        except stripe.StripeError:
            return False
        return True

    def drive() -> None:
        for name in names:
            while not answered(name):
                pass

    lanes = [threading.Thread(target=drive) for _ in range(3)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()

    found = control.effects()
    assert {name: found.count(name) for name in names} == dict.fromkeys(names, 1)
    assert control.balance(payee) == (60, 0)
    assert all(fault["done"] > 0 for fault in control.faults())


def test_a_reset_forgets_calls_that_are_on_their_way(cast: Cast, control: Control) -> None:
    payee = _rich_story(cast, control)
    control.fault("slow", path="/v1/transfers", latency_ms=300, times=1)
    errors: list[stripe.StripeError] = []

    def send() -> None:
        try:
            cast.transfer(1, payee)
        except stripe.StripeError as error:
            errors.append(error)

    slow = threading.Thread(target=send)
    slow.start()
    wait_until(lambda: control.faults()[0]["done"] == 1, limit=10, what="the slow call")
    control.reset()
    slow.join()
    assert isinstance(errors[0], stripe.APIConnectionError)
    assert control.effects().totals == {}
    assert cast.api.events.list().data == []


def test_get_ignores_a_key_and_a_key_has_at_most_255_characters(cast: Cast, control: Control) -> None:
    payee = _rich_story(cast, control)
    cast.transfer(100, payee, key="k")
    assert cast.api.transfers.list({}, {"idempotency_key": "k"}).data
    assert cast.transfer(100, payee, key="x" * 255).amount == 100
    with pytest.raises(stripe.InvalidRequestError, match="at most 255"):
        cast.transfer(100, payee, key="x" * 256)


def test_without_a_key_each_post_is_a_transfer_of_its_own(cast: Cast, control: Control) -> None:
    form = _form(_rich_story(cast, control))
    assert [ask(cast.url, "POST", "/v1/transfers", form).status for _ in range(2)] == [200, 200]
    assert control.effects().totals["transfer"]["usd"]["count"] == 2


def test_a_request_cut_short_by_a_dead_client_leaves_no_trace(cast: Cast, control: Control) -> None:
    """A SIGKILLed client leaves a body shorter than its Content-Length: the key must stay free for the whole one."""
    payee = _rich_story(cast, control)
    whole, known = request_bytes(_form(payee), key="k"), control.state()["idempotency_keys"]
    for missing in (1, 20):
        _killed_while_sending(cast.url, whole[:-missing])
    assert control.state()["idempotency_keys"] == known
    assert control.effects().totals == {}
    transfer = ask(cast.url, "POST", "/v1/transfers", _form(payee), headers={"Idempotency-Key": "k"})
    assert transfer.status == 200
    assert "idempotent-replayed" not in transfer.headers
    assert control.effects().totals["transfer"]["usd"]["count"] == 1


SENDER = """
import socket, sys
host, port = sys.argv[1].split(":")
line = socket.create_connection((host, int(port)))
line.sendall(sys.stdin.buffer.read())
print("sent", flush=True)
line.recv(1)
"""


def _killed_while_sending(url: str, begun: bytes) -> None:
    """A real process that wrote this much of its request, and SIGKILL."""
    argv = [sys.executable, "-I", "-S", "-c", SENDER, url.removeprefix("http://")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sender:
        assert sender.stdin is not None
        assert sender.stdout is not None
        sender.stdin.write(begun)
        sender.stdin.close()
        assert sender.stdout.readline() == b"sent\n"
        sender.kill()


def _rich_story(cast: Cast, control: Control) -> str:
    """A payee, and a platform that can pay."""
    control.fund(10_000)
    return cast.payee()


def _form(payee: str) -> dict[str, Any]:
    return {"amount": "100", "currency": "usd", "destination": payee}
