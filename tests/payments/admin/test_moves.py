"""What staff may do to an operation: what the page says beforehand, what it does, and why it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from jobs.database import now
from jobs.models import Job
from payments import doubts, gateway, ledger, recovery
from payments.admin.confirm import CHANGED
from payments.admin.moves import MOVES
from payments.models import Effect, Look, Operation, Transfer
from payments.states import Dispatch, MilestoneStatus, Status
from tests.payments.admin.pages import do, page, said, staff, stands, steps, text
from tests.payments.live import Live, job_of
from tests.payments.sandbox.cast import Cast
from tests.payments.story import deposit_of, escrow, fresh
from tests.payments.test_doubts import done_late, doubted
from tests.payments.test_reconcile import approved, run
from tests.payments.test_set_aside import arrives, paid_wrongly

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)

type Later = Callable[[float], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Let the admin be looked at so many hours from now."""

    def go(hours: float) -> None:
        for room in ("operations", "operation_page", "moves"):
            monkeypatch.setattr(f"payments.admin.{room}.database_now", lambda: now() + hours * HOUR)

    return go


def left_to_a_person(stripe: Cast, inline: ModuleType) -> tuple[Live, Operation]:
    """A release that is proven not to be at Stripe: a day later, and looked for twice."""
    story, release = doubted(stripe, inline)
    for hours in (0, 25):
        doubts.resolve(now=now() + hours * HOUR)
    doubts.resolve(now=now() + 26 * HOUR)
    release = fresh(release)
    assert release.dispatch == Dispatch.MANUAL
    return story, release


def everything() -> list[Any]:
    """All that money and jobs are."""
    return [list(model.objects.order_by("pk").values()) for model in (Operation, Transfer, Job, Effect, LogEntry)]


# ------------------------------------------------------------------ give the hold back
def test_the_hold_is_given_back_when_it_is_proven_not_to_be_there(
    boss: Client, stripe: Cast, inline: ModuleType, later: Later
) -> None:
    story, release = left_to_a_person(stripe, inline)
    later(25.5)
    plan = steps(boss.get(page(release, "give-back")))
    key, account = release.idempotency_key, story.account.stripe_account
    assert plan[0].startswith(f"will not be sent any more: POST /v1/transfers $95.00 to {account} under key {key}")
    assert "not at Stripe (looked for: " in plan[0]
    held = f"The hold of $100.00 goes back into the escrow of milestone {story.milestone.pk}."
    assert plan[1] == f"will be booked: {held}"
    assert "Nothing is sent to Stripe" in plan[-1]
    assert said(do(boss, release, "give-back")) == ["It was given up, and what it held was given back."]
    release = fresh(release)
    assert (release.dispatch, release.status, story.free()) == (Dispatch.REJECTED, Status.REJECTED, 10_000)
    assert job_of(release).state == "failed"
    assert "admin:boss@example.com: “the bank said so”" in job_of(release).error
    step = release.effects.get(step="rejected")
    assert step.error == "Given back by admin:boss@example.com: “the bank said so”"
    assert LogEntry.objects.get(object_id=str(release.pk)).change_message == "give-back: the bank said so"
    assert story.fresh().status == MilestoneStatus.DELIVERED
    assert story.count(release) == 0
    again = boss.get(page(release, "give-back"))
    assert "Not now: It is rejected" in text(again)
    run(inline)
    story.agrees()


# ------------------------------------------------------------------ begin anew
def test_it_begins_anew_under_a_new_key_and_is_done_once(
    boss: Client, stripe: Cast, inline: ModuleType, later: Later
) -> None:
    story, release = left_to_a_person(stripe, inline)
    later(25.5)
    plan = steps(boss.get(page(release, "anew")))
    assert plan[0].startswith("will not be sent any more: POST /v1/transfers $95.00")
    new = f"release:{release.pk}:2, the same as before under a new key."
    assert plan[1] == f"will be sent: POST /v1/transfers $95.00 to {story.account.stripe_account} under key {new}"
    answer = do(boss, release, "anew", "they asked again")
    assert said(answer) == [f"It begins anew, as attempt 2 under the key release:{release.pk}:2."]
    assert (fresh(release).dispatch, job_of(release).state) == (Dispatch.READY, "waiting")
    assert release.effects.get(step="begun anew").error == "Begun anew by admin:boss@example.com: “they asked again”"
    run(inline)
    assert fresh(release).status == Status.TRANSFERRED
    assert story.count(release) == 1
    assert stripe.api.transfers.list().data[0].amount == 9_500
    story.agrees()


def test_begun_anew_without_its_job_it_gets_another(
    boss: Client, stripe: Cast, inline: ModuleType, later: Later
) -> None:
    story, release = left_to_a_person(stripe, inline)
    job_of(release).delete()
    later(25.5)
    do(boss, release, "anew")
    run(inline)
    assert (fresh(release).status, story.count(release)) == (Status.TRANSFERRED, 1)


# ------------------------------------------------------------------ why not
def test_what_is_not_proven_is_neither_given_back_nor_begun_anew(
    boss: Client, stripe: Cast, inline: ModuleType, later: Later
) -> None:
    _, release = doubted(stripe, inline)
    assert "It is in doubt: it is looked for until" in text(boss.get(page(release, "give-back")))
    stands(release, Dispatch.MANUAL, first_sent_at=release.first_sent_at, sent_at=release.sent_at)
    before = everything()
    for looks, hours, why in (
        ((), 0.5, "Nobody has looked for it at Stripe since it was sent"),
        ((0.1,), 0.5, "Stripe's lists may be late: look again after"),
        ((0.1, 0.6), 0.7, "Stripe's lists may be late: look again after"),
        ((0.1, 3.0), 7.0, "look once more, then decide."),
    ):
        Look.objects.all().delete()
        for at in looks:
            Look.objects.create(operation=release, attempt=1, looked_at=now() + at * HOUR)
        later(hours)
        for move in ("give-back", "anew"):
            assert why in text(boss.get(page(release, move))), looks
            answer = boss.post(page(release, move), {"reason": "now", "mark": "x"})
            assert why in text(answer, status=409), looks
    assert everything() == before


def test_looks_of_an_earlier_attempt_or_before_it_was_sent_prove_nothing(
    boss: Client, stripe: Cast, inline: ModuleType
) -> None:
    _, release = doubted(stripe, inline)
    stands(release, Dispatch.MANUAL, first_sent_at=release.first_sent_at, sent_at=release.sent_at)
    for minutes in (90, 10):
        Look.objects.create(operation=release, attempt=1, looked_at=now() - timedelta(minutes=minutes))
        Look.objects.create(operation=release, attempt=2, looked_at=now() + timedelta(minutes=minutes))
    assert "Nobody has looked for it at Stripe since" in text(boss.get(page(release, "give-back")))


def test_what_turns_up_at_stripe_takes_the_proof_away(
    boss: Client, stripe: Cast, inline: ModuleType, later: Later
) -> None:
    story, release = left_to_a_person(stripe, inline)
    stripe.control.fund(10_000)
    stripe.transfer(1, story.account.stripe_account, metadata=release.params["metadata"],
                    transfer_group=release.params["transfer_group"])  # fmt: skip
    do(boss, release, "look")
    run(inline)
    assert "was found at Stripe, and cannot be booked" in fresh(release).error
    later(25.5)
    assert "Nobody has looked for it" in text(boss.get(page(release, "give-back")))


def test_it_changes_between_the_page_and_the_click(
    boss: Client, stripe: Cast, inline: ModuleType, later: Later
) -> None:
    story, release = left_to_a_person(stripe, inline)
    later(25.5)
    shown = boss.get(page(release, "give-back")).context["mark"]
    Look.objects.create(operation=release, attempt=1, looked_at=now() + 25.2 * HOUR)
    answer = boss.post(page(release, "give-back"), {"reason": "now", "mark": shown})
    assert CHANGED in text(answer)
    assert (fresh(release).dispatch, story.free()) == (Dispatch.MANUAL, 0)
    assert said(boss.post(page(release, "give-back"), {"reason": "now", "mark": answer.context["mark"]}))
    assert fresh(release).dispatch == Dispatch.REJECTED


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_without_a_reason_nothing_is_done(
    boss: Client, stripe: Cast, inline: ModuleType, later: Later, reason: str
) -> None:
    _, release = left_to_a_person(stripe, inline)
    later(25.5)
    before = everything()
    answer = do(boss, release, "give-back", reason)
    assert "Say why" in text(answer) or "at most 500" in text(answer)
    assert everything() == before


# ------------------------------------------------------------------ look at Stripe now
def test_a_look_finds_what_was_done_late_and_ends_the_doubt(boss: Client, stripe: Cast, inline: ModuleType) -> None:
    story, release = doubted(stripe, inline)
    done_late(stripe, release)
    plan = steps(boss.get(page(release, "look")))
    assert plan[0] == f"will only be looked for: what {release.idempotency_key} may have made."
    assert "Nothing is sent" in plan[-1]
    assert "Stripe is being asked" in said(do(boss, release, "look"))[0]
    do(boss, release, "look")
    assert Job.objects.filter(kind="payments.look_at_stripe").count() == 1
    run(inline)
    assert (fresh(release).status, job_of(release).state, story.payable()) == (Status.TRANSFERRED, "completed", 9_500)
    assert Job.objects.get(kind="payments.look_at_stripe").result == "found"


def test_a_look_that_finds_nothing_is_remembered_and_nothing_else(
    boss: Client, stripe: Cast, inline: ModuleType
) -> None:
    story, release = doubted(stripe, inline)
    do(boss, release, "look")
    run(inline)
    assert Look.objects.filter(operation=release).count() == 1
    assert (fresh(release).dispatch, story.count(release), story.free()) == (Dispatch.UNKNOWN, 0, 0)


def test_the_plan_says_that_an_old_key_is_only_looked_for(
    boss: Client, stripe: Cast, inline: ModuleType, later: Later
) -> None:
    _, release = doubted(stripe, inline)
    later(23.5)
    assert "(the key is older than 23 h)" in steps(boss.get(page(release, "look")))[0]
    assert "because the key is older than 23 h" in text(boss.get(page(release)))


def test_what_a_person_has_seen_at_stripe_is_adopted_by_its_id(
    boss: Client, stripe: Cast, inline: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    story, release = doubted(stripe, inline)
    done_late(stripe, release)
    (made,) = stripe.api.transfers.list().data
    monkeypatch.setattr(gateway, "find", lambda *_, **__: None)  # Stripe's lists are late
    do(boss, release, "look", stripe_id=made.id)
    run(inline)
    assert (fresh(release).stripe_id, fresh(release).status) == (made.id, Status.TRANSFERRED)
    assert story.count(release) == 1


def test_what_another_operation_made_is_not_adopted(boss: Client, stripe: Cast, inline: ModuleType) -> None:
    _, release = doubted(stripe, inline)
    stripe.control.fund(9_500)
    foreign = stripe.transfer(9_500, release.params["destination"])
    do(boss, release, "look", stripe_id=foreign.id)
    do(boss, release, "look", stripe_id="tr_nowhere")
    run(inline)
    assert fresh(release).dispatch == Dispatch.UNKNOWN
    errors = {job.error for job in Job.objects.filter(kind="payments.look_at_stripe", state="failed")}
    assert any("names no operation as what made it" in error for error in errors)
    assert any("Stripe knows nothing of tr_nowhere" in error for error in errors)
    assert "An id of Stripe's is made of" in said(do(boss, release, "look", stripe_id="tr_1/../x"))[0]


# ------------------------------------------------------------------ run its job again
def test_a_failed_job_of_an_unfinished_operation_runs_again(boss: Client, stripe: Cast, inline: ModuleType) -> None:
    story, release = approved(stripe, inline)
    release = fresh(release)
    assert "Its job is waiting and goes on by itself." in text(boss.get(page(release, "run")))
    Job.objects.filter(pk=str(release.job_id)).update(state="failed", finished_at=now(), error="it crashed three times")
    (sent, booked) = steps(boss.get(page(release, "run")))
    assert sent == f"will be sent: {plan_of(story, release)}."
    assert booked.startswith("will be booked: $100.00 out of the escrow")
    assert said(do(boss, release, "run", "the worker is mended")) == ["Its job was started again."]
    assert "Run again by admin:boss@example.com: “the worker is mended”" in fresh(release).error
    run(inline)
    assert (fresh(release).status, story.count(release)) == (Status.TRANSFERRED, 1)
    assert "It is done" in text(boss.get(page(release, "run")))
    story.agrees()


def plan_of(story: Live, release: Operation) -> str:
    return f"POST /v1/transfers $95.00 to {story.account.stripe_account} under key {release.idempotency_key}"


def test_while_the_queue_is_paused_the_plan_says_so(boss: Client) -> None:
    deposit = escrow().deposit()
    assert "The queue payment is paused" not in text(boss.get(page(deposit)))
    recovery.mark_restored()
    assert "The queue payment is paused, so nothing is sent before it is resumed (restore:" in text(
        boss.get(page(deposit))
    )
    Job.objects.update(state="failed", finished_at=now())
    assert "The queue payment is paused" in text(boss.get(page(deposit, "run")))


# ------------------------------------------------------------------ refund what was set aside
def test_what_was_set_aside_goes_back_to_its_payer(boss: Client, stripe: Cast, inline: ModuleType) -> None:
    story, deposit = paid_wrongly(stripe, inline)
    plan = steps(boss.get(page(deposit, "refund")))
    assert plan[0].startswith("already done, will be skipped: POST /v1/payment_intents $100.00 under key deposit:")
    assert plan[1] == f"will be sent: POST /v1/refunds $90.00 of {deposit.stripe_id}, under the key of a new refund."
    assert "in suspense $90.00" in text(boss.get(page(deposit)))
    assert said(do(boss, deposit, "refund", "they paid too little"))[0].endswith("is on its way.")
    refund = Operation.objects.get(kind="refund")
    assert (refund.reason, refund.requested_by and refund.requested_by.email) == (
        "they paid too little", "boss@example.com",
    )  # fmt: skip
    assert "It is on its way back already." in text(boss.get(page(deposit, "refund")))
    assert f"Refund of $90.00 to {story.client.get_full_name()}" in text(boss.get(page(deposit)))
    arrives(stripe, inline, refund)
    assert fresh(deposit).status == Status.CANCELED
    assert ledger.balance("suspense:usd") == 0
    assert "Nothing of it lies in suspense." in text(boss.get(page(deposit, "refund")))


# ------------------------------------------------------------------ who, and how
def test_opening_a_move_moves_nothing(boss: Client, stripe: Cast, inline: ModuleType) -> None:
    _, release = left_to_a_person(stripe, inline)
    before = everything()
    for move in MOVES:
        for operation in (release, deposit_of_same(release)):
            boss.get(page(operation, move))
            assert boss.put(page(operation, move)).status_code == 405
    assert everything() == before


def deposit_of_same(release: Operation) -> Operation:
    return Operation.objects.get(milestone=release.milestone, kind="deposit")


def test_without_the_permission_no_move_is_offered_or_done(stripe: Cast, inline: ModuleType, later: Later) -> None:
    _, release = left_to_a_person(stripe, inline)
    later(25.5)
    looker = staff("view_operation")
    shown = looker.get(page(release))
    assert "You lack the permission to move money" in text(shown)
    assert all(button["refusal"] for button in shown.context["buttons"])
    before = everything()
    for move in MOVES:
        assert looker.get(page(release, move)).status_code == 403
        assert looker.post(page(release, move), {"reason": "now"}).status_code == 403
    assert everything() == before


def test_the_permission_to_move_without_that_to_look_is_not_enough(inline: ModuleType) -> None:
    deposit = escrow().deposit()
    assert staff("move_money").post(page(deposit, "run"), {"reason": "now"}).status_code == 403


def test_staff_with_both_permissions_may(stripe: Cast, inline: ModuleType, later: Later) -> None:
    _, release = left_to_a_person(stripe, inline)
    later(25.5)
    do(staff("view_operation", "move_money"), release, "give-back")
    assert fresh(release).dispatch == Dispatch.REJECTED
    assert "admin:ada@example.com" in fresh(release).error


def test_a_click_from_another_site_does_nothing(inline: ModuleType, boss: Client) -> None:
    story = escrow().funded()
    deposit = deposit_of(story)
    boss.handler.enforce_csrf_checks = True
    before = everything()
    assert boss.post(page(deposit, "look"), {"reason": "now"}).status_code == 403
    assert everything() == before
