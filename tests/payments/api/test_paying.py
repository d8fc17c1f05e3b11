"""POST /api/payments/, with a Stripe that answers, and with one that does not."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from jobs.database import now
from payments import breaker, dispatch, gateway, operations, services
from payments.models import IdempotencyRequest, Operation
from payments.models.limits import Breaker
from payments.sandbox.options import KEY
from payments.states import Dispatch, Status
from tests.payments.api.callers import Caller
from tests.payments.live import Live, job_of, live_escrow
from tests.payments.marks import COMMITTED
from tests.payments.sandbox.cast import Cast
from tests.payments.story import at_once, deposit_of, fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(stripe: Cast) -> Live:
    return live_escrow(stripe)


@pytest.fixture
def payer(story: Live) -> Caller:
    return Caller(story.client)


def pay(story: Live, payer: Caller, **more: Any) -> Any:
    return payer.send("POST", "payments/", {"milestoneId": story.milestone.pk}, **more)


def intents(story: Live) -> list[Any]:
    return list(story.cast.api.payment_intents.list().data)


def test_the_answer_has_what_the_seeds_had_and_the_client_secret(story: Live, payer: Caller) -> None:
    answer = pay(story, payer)
    deposit = fresh(deposit_of(story))
    [intent] = intents(story)
    assert answer.status_code == 200
    assert answer.json() == {
        "message": "Payment processing started",
        "jobId": str(deposit.job_id),
        "paymentIntentId": intent.id,
        "clientSecret": intent.client_secret,
        "operationId": str(deposit.pk),
    }
    assert (deposit.dispatch, deposit.status, deposit.stripe_id) == (
        Dispatch.CONFIRMED, Status.AWAITING_PAYMENT, intent.id,
    )  # fmt: skip
    assert intent.metadata["operation_id"] == str(deposit.pk)
    assert answer["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


def test_asking_again_is_the_same_payment(story: Live, payer: Caller) -> None:
    first, second, third = (pay(story, payer, key=key) for key in (None, "one", "one"))
    assert first.json() == second.json() == third.json()
    assert third["Idempotent-Replayed"] == "true"
    assert len(intents(story)) == 1


def test_the_client_secret_is_not_stored(story: Live, payer: Caller) -> None:
    secret = pay(story, payer, key="one").json()["clientSecret"]
    assert secret not in str(IdempotencyRequest.objects.values_list("response_body"))
    assert secret not in str(Operation.objects.values())


def test_the_job_confirms_what_the_request_made(story: Live, payer: Caller, jobs_inline: ModuleType) -> None:
    made = pay(story, payer).json()["paymentIntentId"]
    jobs_inline.run_all(failures=True)
    assert job_of(deposit_of(story)).state == "delayed"
    story.pay()
    again = pay(story, payer).json()
    assert (again["paymentIntentId"], again["clientSecret"]) == (made, None), "nothing is to be paid any more"
    assert "see the milestone" in again["message"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "hang_after", "seconds": 3},
        {"kind": "html", "status": 503, "effect": False},
        {"kind": "html", "effect": True},
        {"kind": "server_error", "effect": True, "saved": True},
        {"kind": "rate_limit"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_while_stripe_does_not_answer_the_payment_is_accepted_and_its_job_goes_on(
    story: Live, payer: Caller, jobs_inline: ModuleType, fault: dict[str, Any]
) -> None:
    stripe = story.cast
    stripe.control.fault(path="/v1/payment_intents", method="POST", times=1, **fault)
    answer = pay(story, payer, key="one")
    deposit = fresh(deposit_of(story))
    assert answer.status_code == 202
    assert answer.json()["clientSecret"] is None
    assert answer.json()["paymentIntentId"] is None
    assert "Send the same request again" in answer.json()["message"]
    assert answer.json()["operationId"] == str(deposit.pk)
    assert deposit.dispatch == Dispatch.SENT
    jobs_inline.run_all(failures=True)
    later = pay(story, payer, key="one")
    assert (later.status_code, later["Idempotent-Replayed"]) == (200, "true")
    [intent] = intents(story)
    assert later.json()["clientSecret"] == intent.client_secret


def test_while_the_breaker_is_open_stripe_is_not_asked(story: Live, payer: Caller) -> None:
    for _ in range(breaker.LIMIT):
        breaker.failed("no answer", now=now())
    assert pay(story, payer).status_code == 202
    assert not intents(story)
    assert fresh(deposit_of(story)).dispatch == Dispatch.READY


def test_requests_without_an_answer_open_the_breaker_and_one_with_an_answer_closes_it(
    story: Live, payer: Caller
) -> None:
    fault = story.control.fault("drop_before", path="/v1/payment_intents")
    for _ in range(breaker.LIMIT):
        assert pay(story, payer).status_code == 202
    assert Breaker._default_manager.get().openings == 1
    story.control.clear_faults(fault)
    Breaker._default_manager.update(retry_at=now())
    assert pay(story, payer).status_code == 200
    assert Breaker._default_manager.get().retry_at is None


def test_where_nothing_is_asked_the_breaker_learns_nothing(story: Live, payer: Caller) -> None:
    operations.manual(story.deposit(), error="Somebody looks at it.")
    for _ in range(breaker.LIMIT):
        breaker.failed("no answer", now=now())
    Breaker._default_manager.update(retry_at=now())
    assert pay(story, payer).status_code == 202
    row = Breaker._default_manager.get()
    assert (row.failures, row.probe_until) == (breaker.LIMIT, None)


def test_faster_than_stripe_allows_it_is_not_asked(story: Live, payer: Caller, settings: Any) -> None:
    from payments import throttle

    settings.STRIPE_RATE = 0.001
    while throttle.take("payment_intent"):
        pass
    assert pay(story, payer).status_code == 202
    assert not intents(story)


def test_with_a_wrong_key_the_payment_waits_for_whoever_mends_it(
    story: Live, payer: Caller, settings: Any, jobs_inline: ModuleType
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_of_somebody_else"
    assert pay(story, payer).status_code == 202
    jobs_inline.run_all(failures=True)
    assert fresh(deposit_of(story)).dispatch == Dispatch.PARKED
    assert pay(story, payer).status_code == 202
    settings.STRIPE_SECRET_KEY = KEY
    assert pay(story, payer).status_code == 202
    assert not intents(story), "parked until its job looks again"
    jobs_inline.run_due(now=now() + timedelta(minutes=11), failures=True)
    assert pay(story, payer).json()["clientSecret"] == intents(story)[0].client_secret


def test_a_request_that_died_after_the_effect_is_finished_by_the_next_with_its_key(story: Live, payer: Caller) -> None:
    """Killed between Stripe's effect and our writing it down."""
    deposit = services.request_deposit(story.milestone.pk, by=story.client).operation
    assert operations.mark_sent(deposit, now=now())
    gateway.send(dispatch.call_of(deposit))
    answer = pay(story, payer)
    [intent] = intents(story)
    assert (answer.status_code, answer.json()["clientSecret"]) == (200, intent.client_secret)


@COMMITTED
def test_a_worker_that_is_just_asking_does_not_cost_the_client_secret(stripe: Cast) -> None:
    story = live_escrow(stripe)
    deposit = services.request_deposit(story.milestone.pk, by=story.client).operation
    stripe.control.fault("slow", path="/v1/payment_intents", method="POST", latency_ms=300, times=1)

    def worker() -> Any:
        from payments import seen

        assert operations.mark_sent(deposit, now=now())
        seen.tell(deposit, gateway.send(dispatch.call_of(deposit)), now=now())

    _, answer = at_once(worker, lambda: pay(story, Caller(story.client)))
    [intent] = intents(story)
    assert (answer.status_code, answer.json()["clientSecret"]) == (200, intent.client_secret)


@COMMITTED
def test_of_two_clicks_at_once_one_payment_comes(stripe: Cast) -> None:
    story = live_escrow(stripe)
    said = at_once(*[lambda: pay(story, Caller(story.client))] * 4)
    assert {one.status_code for one in said} == {200}
    assert len({one.json()["clientSecret"] for one in said}) == 1
    assert len(intents(story)) == 1
    assert Operation.objects.count() == 1
