"""The books against the local Stripe: what is not the same is found, shown, and stays so until it is explained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from types import ModuleType
from typing import Any, cast

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from jobs import control
from jobs.database import now
from jobs.models import Job, QueuePause
from payments import disputes_at_stripe, gateway, inbox, ledger, reconcile, recovery, seen, services, tasks
from payments.gateway import lookups
from payments.ledger import accounts
from payments.models import Finding, Operation, Reconciliation, StripeEvent
from payments.models.inbox import EventState
from payments.money import Money
from payments.params import path_and_body
from payments.reconcile import book
from payments.reconcile.sides import Side
from payments.states import Dispatch, MilestoneStatus, Status
from tests.payments.live import Live, job_of, live_escrow, use
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import LocalStripe, local_stripe, local_stripe_process
from tests.payments.story import deposit_of, fresh, usd

__all__ = ["local_stripe", "local_stripe_process"]

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def stripe(local_stripe: LocalStripe, settings: Any) -> Cast:
    use(settings, local_stripe.url)
    return Cast(local_stripe.url, local_stripe.key)


@pytest.fixture
def inline(jobs_inline: ModuleType) -> ModuleType:
    return jobs_inline


def run(inline: ModuleType) -> None:
    """Everything that is to be done within the next two hours."""
    inline.drain(until=now() + 2 * HOUR, failures=True)


def look(*, later: timedelta = timedelta(), full: bool = False, hours: int = 2) -> Reconciliation:
    """One reconciliation, some time from now."""
    return reconcile.run(hours=hours, full=full, apply=tasks.enqueue_event, now=now() + later)


def found(bucket: str, **columns: Any) -> Finding:
    """The one finding of this bucket."""
    return Finding.objects.get(bucket=bucket, **columns)


def funded(stripe: Cast, inline: ModuleType, amount: int = 10_000) -> Live:
    story = live_escrow(stripe, amount)
    story.deposit()
    inline.run_all(failures=True)
    story.pay()
    run(inline)
    assert fresh(deposit_of(story)).status == Status.HELD
    return story


def approved(stripe: Cast, inline: ModuleType) -> tuple[Live, Operation]:
    story = funded(stripe, inline)
    services.deliver(story.milestone.pk, by=story.freelancer)
    return story, story.release()


def released(stripe: Cast, inline: ModuleType) -> tuple[Live, Operation]:
    story, release = approved(stripe, inline)
    run(inline)
    return story, fresh(release)


def disputed(stripe: Cast, inline: ModuleType, end: str) -> Live:
    """A milestone whose payment the client's bank took back, and gave again or did not."""
    story = funded(stripe, inline)
    dispute = stripe.control.open_dispute(fresh(deposit_of(story)).charge)
    disputes_at_stripe.look(dispute["id"], now=now())
    stripe.control.dispute(dispute["id"], end)
    disputes_at_stripe.look(dispute["id"], now=now())
    return story


def command(*arguments: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("ledger", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


# ------------------------------------------------------------------ everything is as it should be
def test_after_the_whole_story_everything_matches(stripe: Cast, inline: ModuleType) -> None:
    withdrawn, _ = released(stripe, inline)
    refunded, _ = released(stripe, inline)
    partly = funded(stripe, inline)
    disputed(stripe, inline, "won")
    disputed(stripe, inline, "lost")
    for _ in range(2):  # Stripe's fees and the lost money are the platform's to pay
        funded(stripe, inline)
    for account in (None, withdrawn.account.stripe_account, refunded.account.stripe_account):
        stripe.control.settle(account)
    failed, back = withdrawn.withdraw(4_000), partly.refund(2_500)
    run(inline)
    stripe.control.payout(str(fresh(failed).stripe_id), "failed")
    stripe.control.account(withdrawn.account.stripe_account, "bank_repaired")
    stripe.control.refund(str(fresh(back).stripe_id), "failed")
    hear(fresh(failed), fresh(back))
    paid, reversed_, again = withdrawn.withdraw(5_000), refunded.refund(10_000), partly.refund(3_000)
    run(inline)
    assert all(fresh(one).booked_at for one in (paid, reversed_, again))

    done = look(later=2 * HOUR, full=True, hours=48)
    assert [one.words for one in reconcile.open_findings()] == []
    assert done.is_clean
    assert done.counts["matched"] == len(stripe.control.state()["objects"]["balance_transaction"])
    assert not Finding.objects.exclude(bucket="missed_event").exists(), "no event was delivered, all else was known"


def hear(*operations: Operation) -> None:
    """As the events about them would let us."""
    for one in operations:
        assert seen.tell(one, seen.fetch(one, str(one.stripe_id)), now=now())


def test_more_than_a_page_of_movements_is_read_to_its_end(stripe: Cast, inline: ModuleType) -> None:
    story = live_escrow(stripe)
    for _ in range(105):
        stripe.control.fund(100)
    stripe.control.hand_made(amount=500, currency="usd", destination=story.account.stripe_account)
    for _ in range(104):
        stripe.control.fund(100)
    done = look()
    assert done.counts["stripe_only"] == 105 + 104 + 2
    assert ledger.balance("stripe:platform:usd") == 209 * 100 - 500
    assert look().counts["matched"] == 211


# ------------------------------------------------------------------ Stripe moved something that we do not know of
def test_a_transfer_made_by_hand_is_found_shown_and_set_aside(stripe: Cast, inline: ModuleType) -> None:
    story = funded(stripe, inline)
    stripe.control.settle()
    made = stripe.control.hand_made(amount=500, currency="usd", destination=story.account.stripe_account)
    said, code = command("reconcile")
    assert code == 1
    assert f"5.00 usd out of the balance of the platform by {made['id']}" in said
    assert "No operation of ours asked for it. It is in suspense" in said
    finding = found("stripe_only", account="")
    assert (finding.amount, finding.currency, finding.stripe_id) == (-500, "usd", made["balance_transaction"])
    assert ledger.balance("suspense:usd") == 500
    assert found("stripe_only", account=story.account.stripe_account).amount == 500
    assert not Finding.objects.filter(bucket="balance").exists(), "the books say what Stripe says"

    said, code = command("reconcile", "--json")
    assert code == 1, "it is not explained by being booked"
    assert len(json.loads(said)["open"]) == 2
    assert ledger.balance("suspense:usd") == 500
    assert Finding.objects.count() == 2


def test_what_a_person_explained_is_not_told_again(stripe: Cast, inline: ModuleType) -> None:
    funded(stripe, inline)
    stripe.control.fund(700)
    assert not look().is_clean
    said, code = command("explain", str(found("stripe_only").pk), "--because", "we topped it up")
    assert code == 0
    assert "7.00 usd into the balance" in said
    assert look().is_clean
    with pytest.raises(CommandError, match="is not open: we topped it up"):
        command("explain", str(found("stripe_only").pk), "--because", "again")


def test_a_second_effect_of_one_operation_is_found(stripe: Cast, inline: ModuleType) -> None:
    story, release = released(stripe, inline)
    stripe.control.settle()
    stripe.control.fund(1_000)
    body = {name: value for name, value in release.params.items() if name != "source_transaction"}
    stripe.transfer(100, story.account.stripe_account, transfer_group="other", metadata=body["metadata"])
    look()
    finding = found("stripe_only", operation=release)
    assert f"made {release.stripe_id}, and now" in finding.words
    assert finding.amount == -100


def test_a_reversal_that_names_an_operation_of_another_transfer_is_set_aside(stripe: Cast, inline: ModuleType) -> None:
    story, _ = released(stripe, inline)
    funded(stripe, inline)
    for account in (None, story.account.stripe_account):
        stripe.control.settle(account)
    reversal = story.refund(10_000).children.get()
    other = stripe.transfer(400, story.account.stripe_account)
    stripe.api.transfers.reversals.create(other.id, {"metadata": reversal.params["metadata"]})
    look()
    assert found("stripe_only", operation=reversal).amount == 400
    assert fresh(reversal).dispatch == Dispatch.READY


# ------------------------------------------------------------------ ours, and nobody had told
def test_what_a_lost_webhook_would_have_told_is_found_and_booked(stripe: Cast, inline: ModuleType) -> None:
    story = live_escrow(stripe)
    story.deposit()
    inline.run_all(failures=True)
    story.pay()
    done = look(later=HOUR)
    assert done.is_clean
    assert done.counts["adopted"] == 1
    assert fresh(deposit_of(story)).status == Status.HELD
    assert story.held() == 10_000
    assert "had not been told; it is booked now" in found("adopted").words
    run(inline)
    assert job_of(deposit_of(story)).state == "completed"


def test_a_payout_that_came_back_unheard_is_found(stripe: Cast, inline: ModuleType) -> None:
    story, _ = released(stripe, inline)
    stripe.control.settle(story.account.stripe_account)
    withdrawal = story.withdraw(9_500)
    run(inline)
    stripe.control.payout(str(fresh(withdrawal).stripe_id), "failed")
    assert look().is_clean
    assert fresh(withdrawal).status == Status.FAILED_RETURNED
    assert story.payable() == 9_500


def test_what_was_done_in_an_order_is_booked_in_that_order(stripe: Cast, inline: ModuleType) -> None:
    story, release = released(stripe, inline)
    funded(stripe, inline)
    for account in (None, story.account.stripe_account):
        stripe.control.settle(account)
    refund = story.refund(10_000)
    reversal = refund.children.get()
    transfer, body = path_and_body(reversal)  # as if both had been sent after the backup was made
    stripe.api.transfers.reversals.create(transfer, cast(Any, body))
    stripe.api.refunds.create(cast(Any, refund.params))
    done = look(later=HOUR)
    assert done.is_clean
    assert done.counts["adopted"] == 2
    assert fresh(release).status == Status.FULLY_REVERSED
    assert fresh(refund).status == Status.REFUNDED


def test_a_dispute_that_nobody_heard_of_freezes_its_milestone(stripe: Cast, inline: ModuleType) -> None:
    story = funded(stripe, inline)
    stripe.control.open_dispute(fresh(deposit_of(story)).charge)
    assert look().is_clean
    assert story.fresh().status == MilestoneStatus.DISPUTED


def test_what_is_just_under_way_is_booked_and_not_told_of(stripe: Cast, inline: ModuleType) -> None:
    story = live_escrow(stripe)
    story.deposit()
    inline.run_all(failures=True)
    story.pay()
    assert look().counts["adopted"] == 1
    assert not Finding.objects.exists()


def test_a_lost_event_is_fetched_and_understood(stripe: Cast, inline: ModuleType) -> None:
    story = live_escrow(stripe)
    story.deposit()
    inline.run_all(failures=True)
    story.pay()
    look(later=HOUR, full=True, hours=48)
    row = StripeEvent.objects.get(type="payment_intent.succeeded")
    assert row.object_id == fresh(deposit_of(story)).stripe_id
    assert "never came; it is in the inbox now" in found("missed_event", stripe_id=row.event_id).words
    run(inline)
    row.refresh_from_db()
    assert row.state == "handled"
    count = StripeEvent.objects.count()
    assert look(later=HOUR, full=True, hours=48).counts.get("missed_event") is None
    assert StripeEvent.objects.count() == count


def test_an_event_of_a_connected_account_is_fetched_with_its_account(
    stripe: Cast, inline: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unnamed(query: gateway.Read) -> Iterator[dict[str, Any]]:
        """A list need not name the account that was asked."""
        return ({name: value for name, value in one.items() if name != "account"} for one in lookups.pages(query))

    story, _ = released(stripe, inline)
    stripe.control.settle(story.account.stripe_account)
    withdrawal = story.withdraw(9_000)
    run(inline)
    stripe.control.payout(str(fresh(withdrawal).stripe_id), "paid")
    monkeypatch.setattr(gateway, "pages", unnamed)
    look(later=HOUR, full=True, hours=48)
    row = StripeEvent.objects.get(type="payout.paid")
    assert row.account == story.account.stripe_account
    run(inline)
    assert fresh(withdrawal).status == Status.PAID


# ------------------------------------------------------------------ the books say something that Stripe does not
def test_an_amount_that_differs_is_found_and_closed_when_it_is_right(stripe: Cast, inline: ModuleType) -> None:
    stripe.control.settings(capture="manual")
    story = funded(stripe, inline)
    deposit = fresh(deposit_of(story))
    stripe.control.capture()
    txn = str(stripe.api.charges.retrieve(deposit.charge).balance_transaction)
    ledger.stripe_fee(deposit, usd(100), stripe_ref=txn)
    for _ in range(2):
        assert not look(later=HOUR).is_clean
    finding = found("amount_differs")
    assert (finding.operation, finding.stripe_id) == (deposit, txn)
    assert finding.amount == 10_000 - 320
    assert all(row in finding.words for row in ("+10000 usd (deposit)", "-100 usd (stripe_fee)"))
    assert "now told as" in finding.words, "why it could not be put right"
    assert found("balance").amount == 100 - 320
    correct(deposit, 220, stripe_ref=txn)
    assert look(later=HOUR).is_clean
    assert found("amount_differs").resolved_at


def correct(deposit: Operation, minor: int, *, stripe_ref: str) -> None:
    """A person's row: Stripe kept so much more."""
    leg = ledger.Leg(
        name="correction", debit=accounts.stripe_fees("usd"), credit=accounts.platform("usd"),
        money=usd(minor), kind="stripe_fee", stripe_ref=stripe_ref,
    )  # fmt: skip
    assert ledger.post(deposit.pk, [leg], event="correction", operation_id=deposit.pk)


def test_a_row_that_nothing_moved_for_is_found_after_an_hour(stripe: Cast, inline: ModuleType) -> None:
    stripe.control.settings(capture="manual")
    story = funded(stripe, inline)
    assert not look().counts.get("book_only"), "Stripe may still be at it"
    look(later=2 * HOUR)
    finding = found("book_only")
    assert finding.operation == deposit_of(story)
    assert finding.ledger_ref
    assert "100.00 usd went into the balance of the platform" in finding.words
    stripe.control.capture()
    assert look(later=2 * HOUR).is_clean, "Stripe moved it in the end"
    finding.refresh_from_db()
    assert finding.resolved_at
    assert not finding.explanation


def test_a_row_that_moved_two_balances_is_looked_for_at_the_platform_only(stripe: Cast, inline: ModuleType) -> None:
    story, release = released(stripe, inline)
    stripe.control.settle(story.account.stripe_account)
    withdrawal = story.withdraw(9_000)
    run(inline)
    account = Side(story.account.stripe_account)
    there, here = (book.between(side, now() - HOUR, now() + HOUR) for side in (account, Side()))
    assert [entry.operation_id for entry in there] == [withdrawal.pk]
    assert release.pk in {entry.operation_id for entry in here}


def test_a_row_that_names_nothing_of_stripes_is_found(stripe: Cast, inline: ModuleType) -> None:
    story = funded(stripe, inline)
    correct(deposit_of(story), 220, stripe_ref="")
    look(later=2 * HOUR)
    assert found("book_only").amount == -220
    assert "without a name of Stripe’s" in found("book_only").words


def test_a_dispute_of_a_payment_that_no_database_knows_waits_a_day_and_is_set_aside(
    stripe: Cast, inline: ModuleType
) -> None:
    funded(stripe, inline)
    stripe.control.open_dispute(stripe.charge(3_000))
    look()
    assert found("stripe_only").amount == 3_000 - 117, "the payment itself"
    assert not look(later=HOUR).counts.get("stripe_only")
    assert "No deposit with the charge" in found("amount_differs").words
    look(later=DAY + HOUR, hours=48)
    assert Finding.objects.filter(bucket="stripe_only").count() == 2
    assert found("amount_differs").resolved_at
    assert found("balance").resolved_at


def test_a_balance_that_differs_is_told_of(stripe: Cast, inline: ModuleType) -> None:
    funded(stripe, inline)
    ledger.unexplained("txn_invented", usd(250), incoming=True)
    look()
    finding = found("balance")
    assert finding.amount == -250
    assert "the books say" in finding.words


def test_a_difference_that_was_explained_is_told_again_when_it_is_another(stripe: Cast, inline: ModuleType) -> None:
    funded(stripe, inline)
    ledger.unexplained("txn_invented", usd(250), incoming=True)
    look()
    reconcile.explain(found("balance").pk, explanation="a test of the alarm", now=now())
    assert look().is_clean
    ledger.unexplained("txn_invented_too", usd(1), incoming=True)
    assert not look().is_clean
    assert found("balance", resolved_at=None).amount == -251


def test_a_payment_of_another_amount_matches_with_what_stripe_kept(stripe: Cast, inline: ModuleType) -> None:
    story = live_escrow(stripe)
    story.deposit()
    inline.run_all(failures=True)
    stripe.api.payment_intents.update(str(fresh(deposit_of(story)).stripe_id), {"amount": 1_000})
    story.pay()
    run(inline)
    assert fresh(deposit_of(story)).status == Status.MANUAL
    assert look(later=HOUR).is_clean
    assert ledger.balance("suspense:usd") == -1_000
    assert ledger.balance("stripe:platform:usd") == 1_000 - 59


# ------------------------------------------------------------------ what is late
def test_a_doubt_is_told_of_until_it_is_resolved(stripe: Cast, inline: ModuleType) -> None:
    _, release = approved(stripe, inline)
    stripe.control.fault("server_error", path="/v1/transfers", method="POST", times=1, effect=False, saved=True)
    run(inline)
    assert look().is_clean, "it is young"
    assert not look(later=HOUR).is_clean
    assert found("doubt").operation == release
    stripe.api.transfers.create(cast(Any, release.params))
    assert look(later=HOUR).is_clean
    assert fresh(release).status == Status.TRANSFERRED
    assert job_of(release).state == "completed"
    assert found("doubt").resolved_at


def test_an_operation_that_no_job_drives_any_more_is_told_of_before_its_hold_is_old(
    stripe: Cast, inline: ModuleType
) -> None:
    _, release = approved(stripe, inline)
    assert look(later=HOUR).is_clean, "its job is waiting"
    control.cancel(job_of(release).pk, reason="a slip")
    assert not look(later=HOUR).is_clean
    assert "No job drives" in found("doubt").words
    control.retry(job_of(release).pk)
    run(inline)
    assert look(later=HOUR).is_clean
    assert found("doubt").resolved_at


def test_an_event_that_nobody_understood_gets_a_job_again(stripe: Cast, inline: ModuleType) -> None:
    story = funded(stripe, inline)
    events = stripe.api.events.list({"type": "payment_intent.succeeded"})
    inbox.receive(json.loads(str(events.data[0])))
    assert look().is_clean
    for _ in range(2):
        look(later=HOUR)
    assert Job.objects.filter(kind="payments.apply_stripe_event").count() == 1
    assert found("inbox").resolved_at is None
    run(inline)
    assert look(later=HOUR).is_clean
    assert story.held() == 10_000


def test_an_event_that_contradicts_the_books_is_told_of_until_it_is_understood(
    stripe: Cast, inline: ModuleType
) -> None:
    funded(stripe, inline)
    events = stripe.api.events.list({"type": "payment_intent.succeeded"})
    event, _ = inbox.receive(json.loads(str(events.data[0])))
    inbox.close(event, EventState.FAILED, now=now(), error="The amount is another.")
    assert not look().is_clean
    assert "The amount is another." in found("inbox").words
    inbox.close(event, EventState.HANDLED, now=now())
    assert look(later=HOUR).is_clean
    assert found("inbox").resolved_at


def test_a_hold_that_outlives_its_request_is_told_of(stripe: Cast, inline: ModuleType) -> None:
    _, release = approved(stripe, inline)
    look(later=DAY + HOUR)
    finding = Finding.objects.filter(bucket="hold", operation=release).first()
    assert finding
    assert "are held for" in finding.words


def test_a_hold_that_a_dispute_keeps_is_not(stripe: Cast, inline: ModuleType) -> None:
    story, _ = approved(stripe, inline)
    services.open_dispute(story.milestone.pk, by=story.client, reason="It leaks.")
    assert look(later=DAY + HOUR).is_clean


def test_a_payout_that_never_arrives_is_told_of(stripe: Cast, inline: ModuleType) -> None:
    story, _ = released(stripe, inline)
    stripe.control.settle(story.account.stripe_account)
    withdrawal = story.withdraw(9_000)
    run(inline)
    stripe.control.payout(str(fresh(withdrawal).stripe_id), "in_transit")
    assert look(later=6 * DAY).is_clean
    look(later=8 * DAY)
    assert found("payout").operation == withdrawal
    stripe.control.payout(str(fresh(withdrawal).stripe_id), "paid")
    assert look(later=8 * DAY).is_clean
    assert fresh(withdrawal).status == Status.PAID


def test_a_deposit_whose_payment_was_canceled_unheard_is_looked_at(stripe: Cast, inline: ModuleType) -> None:
    story = live_escrow(stripe)
    story.deposit()
    inline.run_all(failures=True)
    stripe.api.payment_intents.cancel(str(fresh(deposit_of(story)).stripe_id))
    assert look(later=HOUR).is_clean
    assert fresh(deposit_of(story)).status == Status.CANCELED
    assert "nobody had told" in found("adopted").words


# ------------------------------------------------------------------ accounts that are not ours any more
def test_an_account_that_was_disconnected_in_between_is_told_of(stripe: Cast, inline: ModuleType) -> None:
    story, _ = released(stripe, inline)
    idle, later = live_escrow(stripe), live_escrow(stripe)
    stripe.control.fund(500, account=later.account.stripe_account)
    for gone in (story, idle):
        stripe.control.account(gone.account.stripe_account, "deauthorized")
    for _ in range(2):
        assert not look(full=True).is_clean
    story.account.refresh_from_db()
    assert story.account.status == "deauthorized"
    finding = found("account")
    assert finding.account == story.account.stripe_account
    assert "9500 usd lie there" in finding.words
    assert found("stripe_only").account == later.account.stripe_account, "the others are compared all the same"


def test_when_stripe_does_not_answer_the_run_is_not_finished(stripe: Cast, inline: ModuleType) -> None:
    funded(stripe, inline)
    stripe.control.fault("html", path="/v1/balance_transactions", status=503, effect=False)
    with pytest.raises(CommandError, match="could not be asked"):
        command("reconcile")
    row = Reconciliation.objects.get()
    assert row.finished_at is None
    assert row.is_clean is None


# ------------------------------------------------------------------ after a restore
def test_the_pause_after_a_restore_ends_with_a_clean_run_only(stripe: Cast, inline: ModuleType) -> None:
    story = funded(stripe, inline)
    stripe.control.settle()
    stripe.control.hand_made(amount=500, currency="usd", destination=story.account.stripe_account)
    recovery.mark_restored()
    for _ in range(2):
        assert command("reconcile")[1] == 1
        assert QueuePause.objects.filter(owner="restore").exists()
    for finding in reconcile.open_findings():
        reconcile.explain(finding.pk, explanation="a gift", now=now())
    assert command("reconcile")[1] == 0
    assert not QueuePause.objects.exists()


def test_the_paused_queue_after_a_restore_does_not_keep_itself_paused(stripe: Cast, inline: ModuleType) -> None:
    _, release = approved(stripe, inline)
    stripe.control.fault("server_error", path="/v1/transfers", method="POST", times=1, effect=False, saved=True)
    run(inline)
    recovery.mark_restored()
    done = look(later=HOUR)
    assert found("doubt").operation == release
    assert done.is_clean
    assert not QueuePause.objects.exists()


def test_after_a_restore_the_window_reaches_back_to_what_the_backup_knew(stripe: Cast, inline: ModuleType) -> None:
    funded(stripe, inline)
    known = look(later=-5 * HOUR)
    Reconciliation.objects.filter(pk=known.pk).update(finished_at=known.started_at)
    recovery.mark_restored()
    QueuePause.objects.update(created_at=now() - HOUR)
    Reconciliation.objects.create(
        started_at=now(), finished_at=now(), window_start=now(), window_end=now(), full=False, is_clean=False
    )
    assert look().window_start < known.started_at


def test_nothing_is_left_out_between_two_runs(stripe: Cast, inline: ModuleType) -> None:
    funded(stripe, inline)
    first = look(later=-9 * HOUR)
    Reconciliation.objects.filter(pk=first.pk).update(finished_at=first.started_at)
    assert look().window_start < first.started_at


# ------------------------------------------------------------------ as a job
def test_the_job_says_what_it_found(stripe: Cast, inline: ModuleType) -> None:
    funded(stripe, inline)
    handle = tasks.reconcile.delay(hours=2)
    recovery.mark_restored()
    run(inline)
    job = Job.objects.get(pk=handle.id)
    assert job.state == "completed", "it does not wait for the queue that it opens"
    assert job.result == {"reconciliation": Reconciliation.objects.get().pk, "clean": True, "counts": {"matched": 1}}
    assert not QueuePause.objects.exists()


def test_without_a_key_the_job_compares_nothing(stripe: Cast, inline: ModuleType, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    handle = tasks.reconcile.delay()
    run(inline)
    assert "STRIPE_SECRET_KEY is not set" in str(Job.objects.get(pk=handle.id).result)
    assert not Reconciliation.objects.exists()


def test_hours_that_are_none_are_refused(stripe: Cast) -> None:
    with pytest.raises(CommandError, match="at least one hour"):
        command("reconcile", "--hours", "0")


def test_currencies_without_cents_are_compared_too(stripe: Cast, inline: ModuleType) -> None:
    story = live_escrow(stripe, 5_000, currency="jpy")
    story.deposit()
    inline.run_all(failures=True)
    story.pay()
    run(inline)
    stripe.control.fund(300, "jpy")
    look()
    assert Money(300, "jpy") == Money(found("stripe_only").amount, "jpy")
    assert fresh(deposit_of(story)).dispatch == Dispatch.CONFIRMED
