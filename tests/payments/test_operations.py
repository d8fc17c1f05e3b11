"""An operation moves as its tables say; what it asks for never changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from payments import ledger, operations, outcomes, params, services
from payments.facts import RefundState
from payments.models import Operation
from payments.states import Dispatch, Status
from tests.payments.story import NOW, Escrow, deposit_of, escrow, fresh, refund_of, sent, transfer

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def story() -> Escrow:
    return escrow().delivered()


@pytest.fixture
def release(story: Escrow) -> Operation:
    return story.release()


def test_its_key_is_made_of_kind_id_and_attempt_by_the_database(release: Operation) -> None:
    assert release.idempotency_key == f"release:{release.pk}:1"
    sent(release)
    assert operations.new_attempt(release, code="balance_insufficient", error="Not enough yet.")
    assert (release.attempt, release.idempotency_key) == (2, f"release:{release.pk}:2")
    assert (release.dispatch, release.first_sent_at, fresh(release).sent_at) == ("ready", None, None)


def test_what_is_sent_names_the_operation_and_nobody(story: Escrow, release: Operation) -> None:
    deposit = deposit_of(story)
    assert release.params == {
        "amount": 9_500, "currency": "usd", "destination": story.account.stripe_account,
        "source_transaction": deposit.charge, "transfer_group": f"milestone_{story.milestone.pk}",
        "metadata": {"operation_id": str(release.pk), "milestone_id": str(story.milestone.pk)},
    }  # fmt: skip
    assert story.freelancer.email not in str(release.params)


def test_a_reversal_keeps_its_transfer_for_the_path() -> None:
    story = escrow().released()
    reversal = story.refund(1_000).children.get()
    transfer_id, body = params.path_and_body(reversal)
    assert transfer_id == Operation.objects.get(kind="release").stripe_id
    assert body == {"amount": 950, "metadata": reversal.params["metadata"]}
    assert "transfer" in fresh(reversal).params


def test_the_key_is_used_again_until_it_is_too_old(release: Operation) -> None:
    assert operations.mark_sent(release, now=NOW)
    assert operations.mark_sent(release, now=NOW + HOUR)
    assert operations.unknown(release, error="read timeout")
    assert operations.mark_sent(release, now=NOW + 22 * HOUR)
    assert (release.dispatch, release.first_sent_at, release.sent_at) == ("unknown", NOW, NOW + 22 * HOUR)
    assert not operations.mark_sent(release, now=NOW + 23 * HOUR)
    assert operations.why_not_sent(release, now=NOW + 23 * HOUR).startswith("Its key is so old")
    assert operations.why_not_sent(release, now=NOW + 22 * HOUR) == ""


def test_a_second_sender_may_have_read_the_clock_before_the_first(release: Operation) -> None:
    second = fresh(release)
    assert operations.mark_sent(release, now=NOW)
    assert operations.mark_sent(second, now=NOW - timedelta(milliseconds=3))
    assert (second.sent_at, fresh(release).sent_at) == (NOW, NOW)


def test_a_parked_operation_keeps_key_and_the_time_of_its_first_use(release: Operation) -> None:
    sent(release)
    assert operations.park(release, code="authentication", error="Wrong API key.")
    assert not operations.mark_sent(release, now=NOW)
    assert operations.unpark(release)
    assert (release.attempt, release.first_sent_at) == (1, NOW)
    assert operations.mark_sent(release, now=NOW + HOUR)
    assert not operations.mark_sent(release, now=NOW + 24 * HOUR)


def test_a_worker_of_an_earlier_attempt_reports_into_the_void(release: Operation) -> None:
    late = fresh(sent(release))
    operations.new_attempt(release, code="x", error="x")
    sent(release)
    assert not operations.unknown(late, error="x")
    assert not operations.reject(late, code="x", error="x")
    assert not operations.park(late, code="x", error="x")
    assert not operations.manual(late, error="x")
    assert not operations.new_attempt(late, code="x", error="x")
    assert not operations.mark_sent(late, now=NOW)
    assert not outcomes.rejected(late, code="x", error="x", now=NOW)
    assert (fresh(release).dispatch, fresh(release).attempt) == ("sent", 2)
    assert operations.why_not_sent(late, now=NOW) == "Attempt 2 of it is under way."


def test_but_an_effect_of_an_earlier_attempt_is_believed(release: Operation) -> None:
    sent(release)
    operations.new_attempt(release, code="x", error="x")
    assert outcomes.release_seen(release.pk, transfer(release), now=NOW)


def test_the_object_in_hand_follows_a_move_that_won_only(release: Operation) -> None:
    other = fresh(release)
    assert operations.reject(other, code="x", error="x")
    assert not operations.mark_sent(release, now=NOW)
    assert (release.dispatch, other.dispatch) == ("ready", "rejected")
    assert operations.why_not_sent(release, now=NOW) == "It is rejected."
    ledger.void_hold(other)


def test_confirmed_is_for_good(release: Operation) -> None:
    outcomes.release_seen(sent(release).pk, transfer(release), now=NOW)
    release = fresh(release)
    assert not operations.unknown(release, error="x")
    assert not operations.reject(release, code="x", error="x")
    assert not operations.manual(release, error="x")
    assert not operations.confirm(release, stripe_id="tr_other", status=Status.TRANSFERRED, now=NOW)
    assert not operations.mark_sent(release, now=NOW)
    assert not operations.advance_status(release, Status.REQUESTED)


def test_a_new_attempt_during_a_dispute_is_parked(story: Escrow, release: Operation) -> None:
    sent(release)
    services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")
    assert operations.new_attempt(release, code="balance_insufficient", error="Not enough yet.")
    assert (fresh(release).dispatch, fresh(release).attempt) == ("parked", 2)


def test_a_refund_that_waits_for_its_reversal_stands_still_or_is_given_up() -> None:
    refund = escrow().released().refund(1_000)
    assert not operations.manual(refund, error="x")
    assert not operations.mark_sent(refund, now=NOW)
    assert not operations.confirm(refund, stripe_id="re_1", status=Status.PENDING, now=NOW)
    assert operations.park(refund, code="x", error="x")
    assert operations.unpark(refund)


def test_nobody_unparks_it_while_its_milestone_is_disputed(story: Escrow, release: Operation) -> None:
    services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")
    release = fresh(release)
    assert not operations.unpark(release)
    Operation.objects.filter(pk=release.pk).update(dispatch="ready")
    release = fresh(release)
    assert not operations.mark_sent(release, now=NOW)
    assert operations.why_not_sent(release, now=NOW) == "Its milestone is disputed."


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 1}, {"fee": 1}, {"currency": "eur"}, {"kind": "refund"}, {"params": {}}, {"api_version": "x"},
        {"reason": "x"}, {"requested_by": None}, {"milestone": None}, {"payout_account": None},
        {"attempt": 3}, {"attempt": 2, "dispatch": "sent"},
    ],
    ids=str,
)  # fmt: skip
def test_what_it_asks_for_is_frozen_by_the_database(release: Operation, change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Operation.objects.filter(pk=release.pk).update(**change)


def test_the_first_use_of_a_key_cannot_be_forgotten(release: Operation) -> None:
    sent(release)
    for later in (None, NOW + HOUR):
        with pytest.raises(IntegrityError), transaction.atomic():
            Operation.objects.filter(pk=release.pk).update(first_sent_at=later, sent_at=later, dispatch="ready")


def test_an_operation_cannot_be_deleted(release: Operation) -> None:
    with pytest.raises(IntegrityError, match="cannot be deleted"), transaction.atomic():
        Operation.objects.filter(pk=release.pk).delete()


@pytest.mark.parametrize(
    "change",
    [
        {"dispatch": "confirmed"}, {"dispatch": "sent"}, {"dispatch": "unknown"}, {"dispatch": "rejected"},
        {"dispatch": "other"}, {"status": "rejected"}, {"status": "transferred"}, {"status": "held"},
        {"stripe_id": "tr_1"}, {"booked_at": NOW}, {"sent_at": NOW},
    ],
    ids=str,
)  # fmt: skip
def test_a_combination_that_means_nothing_is_refused_by_the_database(
    release: Operation, change: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Operation.objects.filter(pk=release.pk).update(**change)


def test_a_second_live_operation_of_a_kind_is_refused_by_the_database(story: Escrow, release: Operation) -> None:
    twin = {
        field.attname: getattr(release, field.attname)
        for field in Operation._meta.concrete_fields
        if field.name not in ("id", "idempotency_key")
    }
    with pytest.raises(IntegrityError, match="operation_one_live_release"), transaction.atomic():
        Operation.objects.create(id=operations.new_id(), **twin)


def test_it_is_found_by_metadata_key_or_object(release: Operation) -> None:
    outcomes.release_seen(release.pk, transfer(release), now=NOW)
    assert operations.find(operation_id=str(release.pk)) == release
    assert operations.find(idempotency_key=release.idempotency_key) == release
    assert operations.find(stripe_id=f"tr_{release.pk}") == release
    assert operations.find(operation_id="none of ours", idempotency_key="x:y:z", stripe_id="tr_x") is None
    assert operations.find() is None


def test_a_refund_that_never_was_debited_is_over_when_it_failed() -> None:
    story = escrow().funded()
    refund = sent(story.refund(10_000))
    outcomes.refund_seen(refund.pk, refund_of(refund, RefundState.PENDING, moved=False), now=NOW)
    assert story.free() == 0
    outcomes.refund_seen(refund.pk, refund_of(refund, RefundState.CANCELED, moved=False), now=NOW)
    assert (fresh(refund).dispatch, story.free()) == (Dispatch.CONFIRMED, 10_000)
    assert story.refund(10_000).pk != refund.pk
