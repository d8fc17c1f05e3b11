"""The plan of a run says what the run then does: it is held against what is really sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from jobs.database import now
from jobs.models import Job
from payments import decisions, gateway, plan, services
from payments.decisions import Case
from payments.gateway import Send
from payments.models import Operation
from payments.plan import Will
from payments.states import Dispatch, Resolution
from tests.payments.live import Live, job_of, live_escrow, use
from tests.payments.live import refund as ask_refund
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import LocalStripe, local_stripe, local_stripe_process
from tests.payments.story import NOW, escrow, fresh
from tests.payments.test_reconcile import approved, released

__all__ = ["local_stripe", "local_stripe_process"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def stripe(local_stripe: LocalStripe, settings: Any) -> Cast:
    use(settings, local_stripe.url)
    return Cast(local_stripe.url, local_stripe.key)


@pytest.fixture
def inline(jobs_inline: ModuleType) -> ModuleType:
    return jobs_inline


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Send]:
    """Every call with an effect that is made from here on."""
    calls: list[Send] = []
    really = gateway.send

    def send(call: Send) -> Any:
        calls.append(call)
        return really(call)

    monkeypatch.setattr("payments.gateway.send", send)
    return calls


def as_it_is(story: Live, release: Operation) -> None:
    """Nothing was sent yet."""


def lost_answer(story: Live, release: Operation) -> None:
    Operation.objects.filter(pk=release.pk).update(dispatch=Dispatch.UNKNOWN, first_sent_at=now(), sent_at=now())


def killed(story: Live, release: Operation) -> None:
    Operation.objects.filter(pk=release.pk).update(dispatch=Dispatch.SENT, first_sent_at=now(), sent_at=now())


def old_key(story: Live, release: Operation) -> None:
    long_ago = now() - timedelta(hours=23, minutes=1)
    Operation.objects.filter(pk=release.pk).update(dispatch=Dispatch.UNKNOWN, first_sent_at=long_ago, sent_at=long_ago)


def wrong_key_of_ours(story: Live, release: Operation) -> None:
    Operation.objects.filter(pk=release.pk).update(dispatch=Dispatch.PARKED, error_code="http_401")


def disputed(story: Live, release: Operation) -> None:
    services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")


def decided_against(story: Live, release: Operation) -> None:
    dispute, _ = services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")
    services.resolve_dispute(dispute.pk, by=story.staff, resolution=Resolution.REFUND, reason="It does.")


def with_a_person(story: Live, release: Operation) -> None:
    Operation.objects.filter(pk=release.pk).update(dispatch=Dispatch.MANUAL, first_sent_at=now(), sent_at=now())


@pytest.mark.parametrize(
    ("put", "will"),
    [
        (as_it_is, Will.SENT),
        (lost_answer, Will.SENT),
        (killed, Will.SENT),
        (wrong_key_of_ours, Will.SENT),
        (old_key, Will.LOOKED_FOR),
        (disputed, Will.WAITS),
        (decided_against, Will.STAYS),
        (with_a_person, Will.WAITS),
    ],
)
def test_what_the_plan_says_is_sent_is_sent_and_nothing_else(
    stripe: Cast, inline: ModuleType, sent: list[Send], put: Callable[[Live, Operation], None], will: Will
) -> None:
    story, release = approved(stripe, inline)
    sent.clear()
    put(story, release)
    steps = plan.running(decisions.read(fresh(release), now=now()))
    assert will in {step.will for step in steps}
    Job.objects.exclude(pk=str(release.job_id)).filter(state="waiting").update(state="delayed")
    inline.run_all(failures=True)
    keys = [call.key for call in sent]
    assert keys == ([release.idempotency_key] if will is Will.SENT else [])
    assert all(release.idempotency_key in step.words for step in steps if step.will is Will.SENT)


def test_a_finished_operation_is_skipped_whole(stripe: Cast, inline: ModuleType, sent: list[Send]) -> None:
    _, release = released(stripe, inline)
    sent.clear()
    steps = plan.running(decisions.read(release, now=now()))
    assert {step.will for step in steps} == {Will.SKIPPED}
    assert str(release.stripe_id) in steps[0].words
    Job.objects.filter(pk=job_of(release).pk).update(state="waiting", finished_at=None)
    inline.run_all(failures=True)
    assert sent == []


def test_every_kind_says_which_request_it_is(stripe: Cast, inline: ModuleType, sent: list[Send]) -> None:
    story, release = released(stripe, inline)
    account = story.account.stripe_account
    withdrawal = story.withdraw(1_000)
    assert f"POST /v1/payouts $10.00 on behalf of {account} under key withdrawal:" in plan.request(withdrawal)
    refund = ask_refund(story, 5_000)
    assert "POST /v1/refunds $50.00 of pi_" in plan.request(refund)
    reversal = refund.children.get()
    assert f"POST /v1/transfers/{release.stripe_id}/reversals $47.50 under key reversal:" in plan.request(reversal)
    waits = plan.running(decisions.read(refund, now=now()))
    assert [step.will for step in waits] == [Will.WAITS]
    deposit = live_escrow(stripe).deposit()
    assert plan.request(deposit) == f"POST /v1/payment_intents $100.00 under key deposit:{deposit.pk}:1"


def test_a_deposit_that_nobody_paid_is_only_looked_at(stripe: Cast, inline: ModuleType, sent: list[Send]) -> None:
    story = live_escrow(stripe)
    deposit = story.deposit()
    inline.run_all(failures=True)
    sent.clear()
    steps = plan.running(decisions.read(fresh(deposit), now=now()))
    assert [step.will for step in steps] == [Will.SKIPPED, Will.LOOKED_FOR, Will.BOOKED]
    run_once(inline, deposit)
    assert sent == []


def run_once(inline: ModuleType, operation: Operation) -> None:
    Job.objects.filter(pk=job_of(operation).pk).update(state="waiting")
    inline.run_all(failures=True)


def test_a_pure_plan_needs_no_clock_but_the_cases(stripe: Cast) -> None:
    deposit = escrow().deposit()
    Operation.objects.filter(pk=deposit.pk).update(dispatch=Dispatch.UNKNOWN, first_sent_at=NOW, sent_at=NOW)
    deposit.refresh_from_db()
    for hours, will in ((22.9, Will.SENT), (23, Will.LOOKED_FOR)):
        case = Case(operation=deposit, now=NOW + timedelta(hours=hours))
        assert plan.running(case)[0].will is will
