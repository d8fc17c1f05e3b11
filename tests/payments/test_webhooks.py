"""Stripe's events: believed when signed, written down once, and never more than a reason to look."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from types import ModuleType
from typing import Any, cast

import pytest
import stripe as sdk
from django.db import connection
from django.test import Client

from jobs.database import now
from jobs.models import Job
from payments import services
from payments.models import Dispute, Operation, StripeEvent
from payments.states import MilestoneStatus, Status
from tests.payments.live import Live, job_of, live_escrow, use
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import LocalStripe, local_stripe, local_stripe_process
from tests.payments.story import deposit_of, fresh

__all__ = ["local_stripe", "local_stripe_process"]

pytestmark = pytest.mark.django_db

PLATFORM, CONNECT = "/api/webhooks/stripe", "/api/webhooks/stripe/connect"
SECRETS = {PLATFORM: "whsec_of_the_platform", CONNECT: "whsec_of_connect"}


@pytest.fixture
def stripe(local_stripe: LocalStripe, settings: Any) -> Cast:
    use(settings, local_stripe.url)
    settings.STRIPE_WEBHOOK_SECRETS = [SECRETS[PLATFORM]]
    settings.STRIPE_CONNECT_WEBHOOK_SECRETS = [SECRETS[CONNECT]]
    return Cast(local_stripe.url, local_stripe.key)


def post(event: Any, door: str = PLATFORM, *, secret: str = "", at: float = 0.0) -> Any:
    """Deliver it as Stripe does, signed `at` seconds from now."""
    body = json.dumps(event)
    stamp = int(now().timestamp() + at)
    header = sdk.WebhookSignature.generate_signature_header(body, secret or SECRETS[door], stamp)
    client = Client(raise_request_exception=False)
    return client.post(door, body, content_type="application/json", headers={"Stripe-Signature": header})


def events(stripe: Cast, account: str = "", **filters: Any) -> list[dict[str, Any]]:
    """What Stripe would deliver, oldest first."""
    options: Any = {"stripe_account": account} if account else {}
    found = stripe.api.events.list(cast(Any, {"limit": 100, **filters}), options)
    return [json.loads(str(event)) for event in reversed(found.data)]


def run(inline: ModuleType) -> None:
    inline.drain(until=now() + timedelta(hours=2), failures=True)


def only_events(inline: ModuleType) -> None:
    """Understand what was delivered, and do nothing else."""
    Job.objects.exclude(kind="payments.apply_stripe_event").filter(state="waiting").update(
        state="delayed", available_at=now() + timedelta(days=1)
    )
    inline.run_all(failures=True)


def begun(stripe: Cast, inline: ModuleType) -> Live:
    """A milestone whose client has just paid; nobody here knows yet."""
    story = live_escrow(stripe)
    story.deposit()
    inline.run_all(failures=True)
    story.pay()
    return story


def funded(stripe: Cast, inline: ModuleType) -> Live:
    story = begun(stripe, inline)
    run(inline)
    return story


def withdrawn(stripe: Cast, inline: ModuleType) -> tuple[Live, Operation]:
    story = funded(stripe, inline)
    services.deliver(story.milestone.pk, by=story.freelancer)
    story.release()
    run(inline)
    story.control.settle(story.account.stripe_account)
    withdrawal = story.withdraw(9_500)
    run(inline)
    return story, fresh(withdrawal)


# ------------------------------------------------------------------ at the door
def test_an_event_is_stored_and_answered_and_a_repetition_too(stripe: Cast, jobs_inline: ModuleType) -> None:
    begun(stripe, jobs_inline)
    (event,) = events(stripe, type="payment_intent.succeeded")
    answers = [post(event) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.json()["duplicate"] for answer in answers] == [False, True, True]
    assert StripeEvent.objects.count() == 1
    assert Job.objects.filter(kind="payments.apply_stripe_event").count() == 1


@pytest.mark.parametrize(
    ("door", "secret", "at", "says"),
    [
        (PLATFORM, "whsec_wrong", 0, "none of this endpoint's secrets"),
        (PLATFORM, SECRETS[CONNECT], 0, "none of this endpoint's secrets"),
        (CONNECT, SECRETS[PLATFORM], 0, "none of this endpoint's secrets"),
        (PLATFORM, "", -3600, "s off"),
        (PLATFORM, "", 86_400, "s off"),
    ],
)
def test_what_is_not_signed_by_stripe_and_now_is_refused(
    stripe: Cast, door: str, secret: str, at: float, says: str
) -> None:
    answer = post({"id": "evt_1", "object": "event", "type": "x.y"}, door, secret=secret, at=at)
    assert answer.status_code == 400
    assert says in answer.json()["detail"]
    assert not StripeEvent.objects.exists()


def test_a_huge_body_is_refused_unread(stripe: Cast) -> None:
    answer = post({"id": "evt_1", "object": "event", "type": "x.y", "much": "x" * 300_000})
    assert answer.status_code == 413


def test_other_methods_are_refused(stripe: Cast) -> None:
    assert Client().get(PLATFORM).status_code == 405


def test_an_event_of_live_mode_is_none_of_ours(stripe: Cast, jobs_inline: ModuleType) -> None:
    begun(stripe, jobs_inline)
    (event,) = events(stripe, type="payment_intent.succeeded")
    assert post(event | {"livemode": True}).status_code == 200
    only_events(jobs_inline)
    row = StripeEvent.objects.get()
    assert row.state == "ignored"
    assert "of live mode" in row.error


def test_an_unknown_type_is_stored_and_left_alone(stripe: Cast, jobs_inline: ModuleType) -> None:
    event = {"id": "evt_9", "object": "event", "type": "invoice.paid", "data": {"object": {"id": "in_1"}}}
    assert post(event | {"livemode": False}).status_code == 200
    jobs_inline.run_all()
    assert StripeEvent.objects.get().state == "ignored"


# ------------------------------------------------------------------ what they do
def test_a_payment_is_held_as_soon_as_stripe_says_so(stripe: Cast, jobs_inline: ModuleType) -> None:
    story = begun(stripe, jobs_inline)
    for event in events(stripe, type="payment_intent.succeeded"):
        post(event)
    only_events(jobs_inline)
    assert fresh(deposit_of(story)).status == Status.HELD
    assert story.held() == 10_000
    run(jobs_inline)
    assert job_of(deposit_of(story)).state == "completed"
    assert story.held() == 10_000


def test_an_event_that_overtakes_the_answer_confirms_and_the_answer_is_then_no_news(
    stripe: Cast, jobs_inline: ModuleType
) -> None:
    story = funded(stripe, jobs_inline)
    services.deliver(story.milestone.pk, by=story.freelancer)
    release = story.release()
    stripe.control.fault("drop_after", path="/v1/transfers", method="POST", times=1)
    jobs_inline.run_all(failures=True)
    assert fresh(release).dispatch == "unknown"
    (event,) = events(stripe, type="transfer.created")
    post(event)
    only_events(jobs_inline)
    assert fresh(release).status == Status.TRANSFERRED
    run(jobs_inline)
    assert story.count(release) == 1
    assert job_of(release).state == "completed"


def test_two_events_for_one_fact_and_every_order_of_them_book_once(stripe: Cast, jobs_inline: ModuleType) -> None:
    story = begun(stripe, jobs_inline)
    for event in reversed(events(stripe)):
        post(event)
        post(event | {"id": f"{event['id']}_again"})
    only_events(jobs_inline)
    assert story.held() == 10_000
    assert not StripeEvent.objects.exclude(state__in=["handled", "ignored"]).exists()


def test_a_payout_that_fails_a_day_after_it_was_paid_comes_back(stripe: Cast, jobs_inline: ModuleType) -> None:
    story, withdrawal = withdrawn(stripe, jobs_inline)
    account = story.account.stripe_account
    stripe.control.payout(str(withdrawal.stripe_id), "paid")
    (paid,) = events(stripe, account, type="payout.paid")
    post(paid, CONNECT)
    only_events(jobs_inline)
    assert fresh(withdrawal).status == Status.PAID
    stripe.control.payout(str(withdrawal.stripe_id), "failed")
    (failed,) = events(stripe, account, type="payout.failed")
    post(failed, CONNECT)
    post(paid | {"id": "evt_late"}, CONNECT)
    only_events(jobs_inline)
    assert fresh(withdrawal).status == Status.FAILED_RETURNED
    assert story.payable() == 9_500


def test_a_refund_that_fails_after_it_succeeded_is_held_again(stripe: Cast, jobs_inline: ModuleType) -> None:
    story = funded(stripe, jobs_inline)
    story.control.settle()
    refund = story.refund(4_000)
    run(jobs_inline)
    assert fresh(refund).status == Status.REFUNDED
    stripe.control.refund(str(fresh(refund).stripe_id), "failed")
    for event in events(stripe):
        if event["type"].startswith("refund."):
            post(event)
    only_events(jobs_inline)
    assert fresh(refund).status == Status.FAILED_RETURNED
    assert story.held() == 10_000


def test_a_bank_dispute_freezes_the_milestone_and_its_end_thaws_it(stripe: Cast, jobs_inline: ModuleType) -> None:
    story = funded(stripe, jobs_inline)
    dispute = stripe.control.open_dispute(fresh(deposit_of(story)).charge)
    for event in events(stripe):
        if event["type"].startswith("charge.dispute."):
            post(event)
    only_events(jobs_inline)
    assert story.fresh().status == MilestoneStatus.DISPUTED
    stripe.control.dispute(dispute["id"], "won")
    for event in events(stripe):
        if event["type"].startswith("charge.dispute."):
            post(event)
    only_events(jobs_inline)
    assert story.fresh().status == MilestoneStatus.FUNDED
    assert Dispute.objects.get().status == "won"
    assert story.held() == 10_000


def test_an_account_that_is_disconnected_gets_no_money_any_more(stripe: Cast, jobs_inline: ModuleType) -> None:
    story = live_escrow(stripe)
    stripe.control.account(story.account.stripe_account, "deauthorized")
    event = {"id": "evt_1", "object": "event", "type": "account.application.deauthorized", "livemode": False}
    post(event | {"account": story.account.stripe_account, "data": {"object": {"id": "ca_1"}}}, CONNECT)
    only_events(jobs_inline)
    story.account.refresh_from_db()
    assert (story.account.status, story.account.transfers_enabled) == ("deauthorized", False)


def test_money_that_nobody_here_asked_for_is_not_booked_by_an_event(stripe: Cast, jobs_inline: ModuleType) -> None:
    story = live_escrow(stripe)
    stripe.control.fund(10_000)
    stripe.control.hand_made(amount=500, currency="usd", destination=story.account.stripe_account)
    for event in events(stripe, type="transfer.created"):
        post(event)
    only_events(jobs_inline)
    row = StripeEvent.objects.get()
    assert row.state == "ignored"
    assert "by no operation of ours" in row.error


@pytest.mark.django_db(transaction=True)
def test_ten_deliveries_at_once_make_one_row_and_one_job(stripe: Cast) -> None:
    event = {"id": "evt_1", "object": "event", "type": "invoice.paid", "data": {"object": {"id": "in_1"}}}
    gate, codes = threading.Barrier(10), []

    def deliver() -> None:
        gate.wait(10)
        codes.append(post(event).status_code)
        connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert codes == [200] * 10
    assert StripeEvent.objects.count() == 1
    assert Job.objects.filter(kind="payments.apply_stripe_event").count() == 1
