"""Stripe's events: failed ones first, and understood again."""

from __future__ import annotations

from types import ModuleType

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from jobs.database import now
from jobs.models import Job
from payments.models import StripeEvent
from payments.models.inbox import EventState
from payments.states import Status
from tests.payments.admin.pages import do, keys, page, said, staff, steps, text
from tests.payments.sandbox.cast import Cast
from tests.payments.story import fresh
from tests.payments.test_doubts import done_late, doubted
from tests.payments.test_reconcile import run

pytestmark = pytest.mark.django_db


def event(number: int, state: EventState = EventState.HANDLED, **columns: object) -> StripeEvent:
    given = {"type": "payout.paid", "object_id": f"po_{number}", "livemode": False, "body": {"id": f"evt_{number}"}}
    handled = None if state == EventState.RECEIVED else now()
    return StripeEvent.objects.create(event_id=f"evt_{number}", state=state, handled_at=handled, **(given | columns))


def test_failed_events_come_first_and_all_are_found(boss: Client) -> None:
    failed = event(1, EventState.FAILED, error="It does not fit.")
    waiting = event(2, EventState.RECEIVED, type="charge.dispute.created", object_id="dp_1")
    charge = event(3, EventState.IGNORED, type="charge.updated", object_id="ch_1")
    assert keys(boss, "stripeevent") == [failed.pk, charge.pk, waiting.pk]
    assert keys(boss, "stripeevent", state="received") == [waiting.pk]
    assert keys(boss, "stripeevent", about="charge.dispute.") == [waiting.pk]
    assert keys(boss, "stripeevent", about="charge.") == [charge.pk]
    assert keys(boss, "stripeevent", q="evt_1") == [failed.pk]
    assert keys(boss, "stripeevent", q="ch_1") == [charge.pk]
    assert "It does not fit." in text(boss.get(page(failed)))


def test_a_failed_event_is_understood_again(boss: Client, stripe: Cast, inline: ModuleType) -> None:
    story, release = doubted(stripe, inline)
    done_late(stripe, release)
    (made,) = stripe.api.transfers.list().data
    body = {"id": "evt_9", "data": {"object": {"id": made.id, "metadata": release.params["metadata"]}}}
    failed = event(9, EventState.FAILED, type="transfer.created", object_id=made.id, body=body)
    assert page(failed, "again") in boss.get(page(failed)).content.decode()
    assert [line.split(":")[0] for line in steps(boss.get(page(failed, "again")))] == [
        "will only be looked for", "will be booked", "stays as it is",
    ]  # fmt: skip
    assert not Job.objects.filter(kind="payments.apply_stripe_event").exists()
    assert "It is being understood again" in said(do(boss, failed, "again"))[0]
    run(inline)
    failed.refresh_from_db()
    assert (failed.state, fresh(release).status, story.payable()) == (EventState.HANDLED, Status.TRANSFERRED, 9_500)
    assert LogEntry.objects.get(object_id=str(failed.pk)).change_message == "again: the bank said so"


def test_what_did_not_fail_is_not_understood_again(boss: Client) -> None:
    handled = event(1)
    assert page(handled, "again") not in boss.get(page(handled)).content.decode()
    assert "only a failed event" in text(boss.get(page(handled, "again")))
    assert "only a failed event" in text(boss.post(page(handled, "again"), {"reason": "now"}), status=409)
    assert not Job.objects.exists()


def test_without_the_permission_it_is_neither_offered_nor_done(inline: ModuleType) -> None:
    failed, looker = event(1, EventState.FAILED), staff("view_stripeevent")
    assert page(failed, "again") not in looker.get(page(failed)).content.decode()
    assert looker.post(page(failed, "again"), {"reason": "now"}).status_code == 403
    assert not Job.objects.exists()
