"""Two that work at one operation at the same moment: a zombie, a second job, five messages, an event."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db.models import QuerySet

from contralock.local.waiting import wait_until
from jobs import CannotMove, control, doorbell
from jobs.broker import depths
from jobs.models import Job
from payments import tasks
from payments.models import Operation
from payments.sandbox.control import Control
from payments.states import Status
from tests.nodes import BeatNode, WorkerNode
from tests.payments.faults import scene
from tests.payments.faults.gate import Gate
from tests.payments.faults.scene import LIMIT, outcomes_of
from tests.payments.live import job_of
from tests.payments.sandbox.cast import Cast
from tests.payments.story import fresh
from tests.payments.test_webhooks import CONNECT, PLATFORM, SECRETS, events, post

type Start = Callable[..., WorkerNode]


def stall(control: Control) -> str:
    """The next transfer is under way until this order is withdrawn."""
    return control.fault("stall", path="/v1/transfers", method="POST", times=1)


def wait_until_under_way(control: Control) -> None:
    wait_until(lambda: control.faults()[0]["spent"], limit=LIMIT, what="a transfer that is under way")


def test_a_zombie_with_a_request_under_way_and_its_successor_make_one_transfer(
    stripe: Cast, payment_worker: Start, start_beat: Callable[..., BeatNode], gate: Gate
) -> None:
    start_beat(wait=False)
    story = scene.delivered(stripe)
    order = stall(stripe.control)
    zombie = payment_worker(concurrency=1)
    release = story.release()
    wait_until_under_way(stripe.control)
    zombie.pause()
    payment_worker(concurrency=1)
    wait_until(lambda: "idempotency_key_in_use" in fresh(release).error, limit=LIMIT, what="the successor's 409")
    assert fresh(release).dispatch == "unknown"
    assert story.free() == 0, "the hold stays"
    stripe.control.clear_faults(order)
    scene.wait_booked([release])
    runs = outcomes_of(release)
    assert (runs[0], set(runs[1:-1]), runs[-1]) == ("crashed", {"unknown"}, "completed")
    zombie.resume()
    wait_until(lambda: "lease lost" in zombie.logs(), limit=LIMIT, what="the zombie's own insight")
    assert outcomes_of(release) == runs
    assert job_of(release).failures == 0
    assert len({(one.body, one.header("Idempotency-Key")) for one in gate.posts()}) == 1
    scene.require_once(stripe.control, [release])


def test_three_jobs_that_drive_one_operation_at_once_make_one_transfer(
    stripe: Cast, payment_worker: Start, start_beat: Callable[..., BeatNode], gate: Gate
) -> None:
    start_beat(wait=False)
    story = scene.delivered(stripe)
    order = stall(stripe.control)
    payment_worker(concurrency=3)
    release = story.release()
    wait_until_under_way(stripe.control)
    others = [tasks.process_release.delay(operation_id=release.pk) for _ in range(2)]
    wait_until(lambda: len(gate.posts()) >= 3, limit=LIMIT, what="three requests")
    stripe.control.clear_faults(order)
    jobs = Job.objects.filter(pk__in=[job_of(release).pk, *(one.id for one in others)])
    wait_until(lambda: _all_ended(jobs), limit=LIMIT, what="three ends")
    assert not jobs.filter(failures__gt=0).exists()
    scene.wait_booked([release])
    scene.require_once(stripe.control, [release])


def _all_ended(jobs: QuerySet[Job]) -> bool:
    """A run that another one overtook while it looked comes back in half a minute; here, at once."""
    for job in jobs.filter(state="delayed"):
        with suppress(CannotMove):  # it is at work again
            control.promote(job.pk)
    return not jobs.exclude(state="completed").exists()


def test_one_message_delivered_five_times_at_once_is_one_run(
    stripe: Cast, payment_worker: Start, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = scene.delivered(stripe)
    order = stall(stripe.control)
    payment_worker(concurrency=5)
    publish = doorbell._publish
    monkeypatch.setattr(doorbell, "_publish", lambda producer, bell: [publish(producer, bell) for _ in range(5)])
    release = story.release()
    monkeypatch.undo()
    wait_until_under_way(stripe.control)
    wait_until(lambda: depths(["payment"]) == {"payment": 0}, limit=LIMIT, what="all five taken")
    stripe.control.clear_faults(order)
    scene.wait_booked([release])
    assert outcomes_of(release) == ["completed"]
    assert len(gate.posts()) == 1
    scene.require_once(stripe.control, [release])


def test_an_event_that_overtakes_the_answer_books_and_the_answer_is_no_news(
    stripe: Cast, payment_worker: Start, gate: Gate, settings: Any
) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = [SECRETS[PLATFORM]]
    settings.STRIPE_CONNECT_WEBHOOK_SECRETS = [SECRETS[CONNECT]]
    story = scene.delivered(stripe)
    gate.hold_answers()
    payment_worker(concurrency=2)
    release = story.release()
    wait_until(lambda: gate.waiting == 1, limit=LIMIT, what="an answer at the gate")
    (event,) = events(stripe, type="transfer.created")
    assert post(event).status_code == 200
    booked = Operation.objects.filter(pk=release.pk, booked_at__isnull=False)
    wait_until(booked.exists, limit=LIMIT, what="what the event told")
    assert (job_of(release).state, gate.waiting) == ("active", 1)
    gate.open()
    scene.wait_booked([release])
    assert fresh(release).status == Status.TRANSFERRED
    assert outcomes_of(release) == ["completed"]
    scene.require_once(stripe.control, [release])
