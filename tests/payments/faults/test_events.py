"""Events: ten at once, in the wrong order, of the wrong mode."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from jobs import testing
from jobs.models import Job
from payments.models import StripeEvent
from payments.states import Status
from tests.payments.faults import scene
from tests.payments.live import live_escrow
from tests.payments.sandbox.cast import Cast
from tests.payments.story import at_once, deposit_of, fresh
from tests.payments.test_webhooks import CONNECT, PLATFORM, SECRETS, events, only_events, post, withdrawn


@pytest.fixture(autouse=True)
def _secrets(settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = [SECRETS[PLATFORM]]
    settings.STRIPE_CONNECT_WEBHOOK_SECRETS = [SECRETS[CONNECT]]


@pytest.mark.django_db(transaction=True)
def test_a_payment_that_is_told_ten_times_at_once_is_held_once(stripe: Cast) -> None:
    with testing.quiet():
        story = live_escrow(stripe)
        story.deposit()
        testing.run_all(failures=True)
        story.pay()
        (event,) = events(stripe, type="payment_intent.succeeded")
        answers = at_once(*[partial(post, event)] * 10)
        assert {answer.status_code for answer in answers} == {200}
        assert sorted(answer.json()["duplicate"] for answer in answers) == [False] + [True] * 9
        assert Job.objects.filter(kind="payments.apply_stripe_event").count() == 1
        only_events(testing)
    assert fresh(deposit_of(story)).status == Status.HELD
    assert story.held() == 10_000
    assert StripeEvent.objects.get().state == "handled"
    scene.require_once(stripe.control, [deposit_of(story)])


@pytest.mark.django_db
def test_a_payout_whose_failure_is_heard_of_before_its_success_has_come_back(stripe: Cast) -> None:
    story, withdrawal = withdrawn(stripe, testing)
    account = story.account.stripe_account
    for state in ("paid", "failed"):
        stripe.control.payout(str(withdrawal.stripe_id), state)
    for kind in ("payout.failed", "payout.paid"):
        (event,) = events(stripe, account, type=kind)
        assert post(event, CONNECT).status_code == 200
        only_events(testing)
        assert fresh(withdrawal).status == Status.FAILED_RETURNED, kind
        assert story.payable() == 9_500
    scene.require_agreement(stripe.control)


@pytest.mark.django_db
@pytest.mark.parametrize(("key", "livemode"), [("sk_live_ours", False), ("sk_test_ours", True)])
def test_an_event_of_the_other_mode_is_stored_and_believed_by_nobody(
    stripe: Cast, settings: Any, key: str, livemode: bool
) -> None:
    story = live_escrow(stripe)
    story.deposit()
    testing.run_all(failures=True)
    story.pay()
    (event,) = events(stripe, type="payment_intent.succeeded")
    settings.STRIPE_SECRET_KEY = key
    assert post(event | {"livemode": livemode}).status_code == 200
    only_events(testing)
    row = StripeEvent.objects.get()
    assert row.state == "ignored"
    assert f"of {'live' if livemode else 'test'} mode" in row.error
    assert fresh(deposit_of(story)).status == Status.AWAITING_PAYMENT
    assert story.held() == 0
