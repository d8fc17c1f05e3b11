"""Answers that do not come, come broken, come again, or are refusals for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jobs import testing
from jobs.database import now, rows
from jobs.models import Job
from payments import dispatch
from payments.models import Milestone, Operation, Project
from payments.states import Dispatch, Status
from tests.payments.faults import scene
from tests.payments.faults.gate import Gate
from tests.payments.faults.scene import outcomes_of, run_soon
from tests.payments.live import Live, job_of
from tests.payments.sandbox.cast import Cast
from tests.payments.story import fresh
from tests.payments.test_webhooks import CONNECT, PLATFORM, SECRETS, events, only_events, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(stripe: Cast) -> Live:
    return scene.delivered(stripe)


def in_doubt(story: Live, release: Operation, *, moved: int) -> None:
    """Nobody knows, the hold stays, and at Stripe it happened so often."""
    assert fresh(release).dispatch == Dispatch.UNKNOWN
    assert job_of(release).state == "delayed"
    assert job_of(release).failures == 0
    assert story.free() == 0
    assert story.count(release) == moved


@pytest.mark.parametrize(
    ("kind", "order", "moved"),
    [
        ("hang_after", {}, 1),
        ("hang_before", {}, 0),
        ("half_body", {}, 1),
        ("html", {"status": 200, "effect": True}, 1),
        ("html", {"status": 200, "effect": False}, 0),
    ],
    ids=["time-out, done", "time-out, not done", "half a body", "200 with a page, done", "200 with a page, not done"],
)
def test_what_was_not_answered_is_a_doubt_and_then_done_once(
    stripe: Cast, story: Live, settings: Any, kind: str, order: dict[str, Any], moved: int
) -> None:
    settings.STRIPE_TIMEOUT = 0.3
    stripe.control.fault(kind, path="/v1/transfers", method="POST", times=1, **order)
    release = story.release()
    testing.run_all(failures=True)
    in_doubt(story, release, moved=moved)
    settings.STRIPE_TIMEOUT = 5.0
    run_soon()
    assert outcomes_of(release) == ["unknown", "completed"]
    scene.require_once(stripe.control, [release])


def test_refused_connections_are_a_doubt_until_somebody_listens_again(
    stripe: Cast, story: Live, gate: Gate, settings: Any
) -> None:
    settings.STRIPE_API_BASE = gate.url
    gate.close()
    release = story.release()
    testing.run_all(failures=True)
    in_doubt(story, release, moved=0)
    gate.open()
    run_soon()
    assert outcomes_of(release) == ["unknown", "completed"]
    scene.require_once(stripe.control, [release])


def test_an_object_that_no_answer_and_no_list_shows_is_booked_by_its_late_event(
    stripe: Cast, story: Live, settings: Any
) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = [SECRETS[PLATFORM]]
    settings.STRIPE_CONNECT_WEBHOOK_SECRETS = [SECRETS[CONNECT]]
    late = {"effect": True, "saved": True, "late_webhook": 7_200}
    stripe.control.fault("server_error", path="/v1/transfers", method="POST", times=1, **late)
    stripe.control.fault("server_error", path="/v1/transfers", method="GET", effect=False, saved=False)
    release = story.release()
    testing.run_all(failures=True)
    in_doubt(story, release, moved=1)
    (event,) = events(stripe, type="transfer.created")
    assert post(event).status_code == 200
    only_events(testing)
    assert fresh(release).status == Status.TRANSFERRED
    Job.objects.filter(state="delayed").update(available_at=now())
    testing.run_due(failures=True)
    assert outcomes_of(release)[-1] == "skipped", "it was done"
    assert job_of(release).state == "completed"
    scene.require_once(stripe.control, [release])


# ---------------------------------------------------------------- 429
CROWD = 6


def refill() -> None:
    """So much time has passed that the endpoint may be called again, and everybody who waits is due."""
    rows("UPDATE payments_ratebucket SET tokens = 10, refilled_at = clock_timestamp()")
    Job.objects.filter(state="delayed").update(available_at=now())


def test_in_a_storm_of_429_one_call_finds_out_and_the_others_wait(stripe: Cast, settings: Any) -> None:
    stories = [scene.delivered(stripe, 1_000) for _ in range(CROWD)]
    settings.STRIPE_RATE = 0.01  # a bucket that was drained stays so for minutes, unless this test refills it
    rows("DELETE FROM payments_ratebucket")
    storm = stripe.control.fault("rate_limit", path="/v1/transfers", method="POST")
    releases = [story.release() for story in stories]
    for round_ in range(1, 6):
        testing.run_due(failures=True)
        assert stripe.control.faults()[0]["done"] == round_, "of so many that were due one asked"
        refill()
    assert {fresh(one).dispatch for one in releases} == {Dispatch.READY, Dispatch.SENT}
    assert {(job_of(one).state, job_of(one).failures) for one in releases} == {("delayed", 0)}
    stripe.control.clear_faults(storm)
    settings.STRIPE_RATE = 1_000.0
    refill()
    run_soon()
    scene.require_once(stripe.control, releases)


def test_the_longer_stripe_refuses_the_more_rarely_it_is_asked(
    stripe: Cast, story: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripe.control.fault("rate_limit", path="/v1/transfers", method="POST")
    release = story.release()
    waits = []
    for gone_by in (0, 10, 60, 3_600):
        monkeypatch.setattr(dispatch, "database_now", lambda gone_by=gone_by: now() + timedelta(seconds=gone_by))
        refill()
        testing.run_due(failures=True)
        waits.append((job_of(release).available_at - now()).total_seconds())
    for wait, least in zip(waits, (0.5, 4, 29, 290), strict=True):
        assert least < wait < least * 1.4 + 1, waits


# ---------------------------------------------------------------- the same bytes
def test_whatever_changes_between_two_tries_the_same_bytes_are_sent(
    stripe: Cast, story: Live, gate: Gate, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STRIPE_API_BASE = gate.url
    stripe.control.fault("drop_before", path="/v1/transfers", method="POST", times=2)
    release = story.release()
    testing.run_all(failures=True)
    Milestone.objects.update(title="Another title")
    Project.objects.update(title="Another project")
    settings.PLATFORM_FEE_BPS = 900
    settings.STRIPE_API_VERSION = "2031-01-01.later"
    settings.STRIPE_TIMEOUT = 3.0  # another client, made with the other settings
    monkeypatch.setattr("payments.params.release", lambda *_, **__: {"amount": 1})
    run_soon()
    sent = gate.posts()
    assert len(sent) == 3
    assert len({one.body for one in sent}) == 1
    for name in ("Idempotency-Key", "Stripe-Version", "Stripe-Account", "Content-Type"):
        assert len({one.header(name) for one in sent}) == 1, name
    assert sent[0].header("Idempotency-Key") == f"release:{release.pk}:1"
    scene.require_once(stripe.control, [release])
