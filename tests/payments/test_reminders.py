"""Reminders: who gets one for what, once, and not when its reason is gone by the time it would be sent."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from types import ModuleType
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contralock.accounts.models import User
from jobs import queues
from jobs.database import now
from jobs.models import Job
from notifications import compose, sealed, unsubscribe
from notifications.models import Message, Subscriber
from payments import letters, outcomes, reminders, services, tasks
from payments.facts import BankDispute, PaymentState
from payments.models import Dispute, Milestone
from payments.reminders.policy import Reason
from payments.states import Dispatch
from tests.notifications.post_office import PostOffice
from tests.notifications.running import run as run_mail
from tests.notifications.test_compose import part
from tests.payments.story import NOW, Escrow, deposit_of, escrow, finish_refund, objection, payment, sent

pytestmark = pytest.mark.django_db

ALWAYS = {Reason.UNFUNDED: 4, Reason.UNAPPROVED: 4, Reason.DISPUTE: 3, Reason.HELD: 76}
"""Days after which a first stage is due at any hour of the day: one day more than its own."""


def aged(story: Escrow, reason: Reason, days: int | None = None) -> Escrow:
    """Let what `reason` counts from lie so many days back, by default those of its first stage."""
    began = now() - timedelta(days=days or ALWAYS[reason])
    if reason is Reason.DISPUTE:
        Dispute.objects.filter(milestone=story.milestone).update(opened_at=began)
    else:
        column = {Reason.UNFUNDED: "created_at", Reason.UNAPPROVED: "delivered_at", Reason.HELD: "funded_at"}[reason]
        Milestone.objects.filter(pk=story.milestone.pk).update(**{column: began})
    return story


def disputed(story: Escrow, by: User) -> Escrow:
    services.open_dispute(story.milestone.pk, by=by, reason="It is late.")
    return story


@pytest.fixture(autouse=True)
def _nothing_leaves(db: None) -> None:
    """Mails wait until a test lets them go, and nobody asks Stripe."""
    for queue in ("email", "payment"):
        queues.pause(queue, reason="a test looks at what waits")


def round_(inline: ModuleType) -> Any:
    """One run of the job; what it says of itself."""
    handle = tasks.send_reminders.delay()
    inline.run_all()
    return Job.objects.get(pk=handle.id).result


def written(*states: str) -> list[str]:
    """`reason stage role` of every reminder, or of those in these states."""
    found = Message.objects.filter(key__startswith="reminder:")
    if states:
        found = found.filter(state__in=states)
    lines = [(message.key.split(":"), re.sub(r"\d+-.*", "", message.recipient)) for message in found]
    return sorted(f"{reason} {stage} {role}" for (_, reason, _, stage, _), role in lines)


def the_one() -> Message:
    return Message.objects.get(key__startswith="reminder:")


def job_of(message: Message) -> Job:
    assert message.job_id is not None
    return Job.objects.get(pk=message.job_id)


# ------------------------------------------------------------------ who and what for
def test_a_client_who_has_not_paid_is_reminded_once_by_stage(jobs_inline: ModuleType) -> None:
    story = aged(escrow(), Reason.UNFUNDED)
    assert round_(jobs_inline)["written"] == 1
    assert round_(jobs_inline) == {"withdrawn": 0, "written": 0, "looked at": 1}
    assert written() == ["unfunded 3 client"]
    aged(story, Reason.UNFUNDED, 8)
    assert round_(jobs_inline)["written"] == 1
    assert written("queued") == ["unfunded 7 client"]


def test_a_client_who_has_not_approved_is_reminded(jobs_inline: ModuleType) -> None:
    aged(escrow().delivered(), Reason.UNAPPROVED)
    round_(jobs_inline)
    assert written() == ["unapproved 3 client"]


@pytest.mark.parametrize(
    ("opener", "readers"), [("client", ["freelancer"]), ("freelancer", ["client"]), ("staff", ["client", "freelancer"])]
)
def test_a_dispute_waits_for_who_did_not_open_it(opener: str, readers: list[str], jobs_inline: ModuleType) -> None:
    story = escrow().delivered()
    aged(disputed(story, getattr(story, opener)), Reason.DISPUTE)
    round_(jobs_inline)
    assert written() == [f"dispute 2 {reader}" for reader in readers]


def test_a_dispute_of_a_bank_waits_for_neither(jobs_inline: ModuleType) -> None:
    story = escrow().funded()
    outcomes.dispute_seen(objection(deposit_of(story), BankDispute.OPEN), now=NOW)
    assert Dispute.objects.exists()
    aged(story, Reason.DISPUTE)
    assert round_(jobs_inline)["written"] == 0


def test_money_that_is_held_for_long_is_both_parties_matter_also_in_a_dispute(jobs_inline: ModuleType) -> None:
    aged(escrow().funded(), Reason.HELD)
    round_(jobs_inline)
    assert written() == ["held 75 client", "held 75 freelancer"]
    story = escrow().funded()
    aged(disputed(story, story.client), Reason.HELD, 81)
    round_(jobs_inline)
    assert [line for line in written() if " 80 " in line] == ["held 80 client", "held 80 freelancer"]


def test_what_is_on_its_way_waits_for_nobody(jobs_inline: ModuleType) -> None:
    """A bank's payment may take days; an approval that is asked for is an approval."""
    paying = aged(escrow(), Reason.UNFUNDED)
    deposit = paying.deposit()
    outcomes.deposit_seen(deposit.pk, payment(deposit, PaymentState.PROCESSING), livemode=False, now=NOW)
    approved = aged(aged(escrow().delivered(), Reason.UNAPPROVED), Reason.HELD)
    release = sent(approved.release())
    assert release.dispatch == Dispatch.SENT
    refunded = aged(escrow().funded(), Reason.HELD)
    refunded.refund(10_000)
    assert round_(jobs_inline)["written"] == 0


def test_what_is_over_waits_for_nobody(jobs_inline: ModuleType) -> None:
    aged(aged(escrow().released(), Reason.UNAPPROVED), Reason.HELD)
    paid = aged(escrow().funded(), Reason.UNFUNDED)
    story = disputed(paid, paid.client)
    dispute = aged(story, Reason.DISPUTE).milestone.disputes.get()
    services.resolve_dispute(dispute.pk, by=story.staff, resolution="dismiss", reason="settled")
    assert round_(jobs_inline)["written"] == 0


def test_a_stage_that_was_missed_is_not_made_up_for(jobs_inline: ModuleType) -> None:
    aged(escrow(), Reason.UNFUNDED, 12)
    assert round_(jobs_inline)["written"] == 0


def test_whoever_cannot_log_in_or_be_written_to_is_left_out_and_the_others_are_not(jobs_inline: ModuleType) -> None:
    off, odd, fine = (aged(escrow(), Reason.UNFUNDED) for _ in range(3))
    User.objects.filter(pk=off.client.pk).update(is_active=False)
    User.objects.filter(pk=odd.client.pk).update(email="zoë@example.com")
    round_(jobs_inline)
    assert list(Message.objects.values_list("recipient", flat=True)) == [fine.client.email]


def test_one_that_cannot_be_written_does_not_stop_the_others(
    jobs_inline: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, fine = (aged(escrow(), Reason.UNFUNDED) for _ in range(2))
    link = unsubscribe.link

    def fail(user_id: int) -> str:
        if user_id == broken.client.pk:
            raise RuntimeError("broken")
        return link(user_id)

    monkeypatch.setattr(unsubscribe, "link", fail)
    assert round_(jobs_inline)["written"] == 1
    assert the_one().recipient == fine.client.email


def test_the_reader_hears_it_in_their_language_and_by_their_calendar(jobs_inline: ModuleType) -> None:
    story = escrow()
    User.objects.filter(pk=story.client.pk).update(first_name="Cleo", language="de", time_zone="Pacific/Kiritimati")
    Milestone.objects.filter(pk=story.milestone.pk).update(created_at="2026-11-01T12:00Z")
    reminders.remind_next(Reason.UNFUNDED, after=0, now=NOW.replace(day=5))
    message = the_one()
    rendered = compose.render(
        template=message.template, language=message.language, context=message.context | sealed.unseal(message.sealed)
    )
    assert rendered.subject == "„Its plan“ ist noch nicht finanziert"
    assert "am 2. November 2026 angelegt" in rendered.text  # it was the second there
    assert "100,00" in rendered.text


def test_a_part_that_was_refunded_is_not_called_held(jobs_inline: ModuleType) -> None:
    story = escrow().delivered()
    finish_refund(story.refund(4_000))
    aged(story, Reason.UNAPPROVED)
    round_(jobs_inline)
    assert the_one().context["amount"] == "$60.00"


# ------------------------------------------------------------------ taken back
def test_a_milestone_that_was_funded_while_the_queue_was_paused_sends_no_reminder(
    jobs_inline: ModuleType, post_office: PostOffice
) -> None:
    """No round comes between: the mail's own job finds out, right before it would be handed over."""
    story = aged(escrow(), Reason.UNFUNDED)
    round_(jobs_inline)
    story.funded()
    queues.resume("email")
    jobs_inline.drain(until=now() + timedelta(hours=1), failures=True)
    message = the_one()
    assert (message.state, message.error) == ("withdrawn", "what it was about is done, or waits for somebody else")
    assert job_of(message).state == "completed"
    subjects = {
        message_from_bytes(mail.original_content or b"", policy=default)["Subject"] for mail in post_office.mails
    }
    assert "“Its plan” is not funded yet" not in subjects
    assert "“Its plan” is funded: you can start" in subjects, "the other mails go out"


def test_the_next_round_takes_it_back_and_cancels_its_job(jobs_inline: ModuleType, post_office: PostOffice) -> None:
    story = aged(escrow().delivered(), Reason.UNAPPROVED)
    stays = aged(escrow(), Reason.UNFUNDED)
    round_(jobs_inline)
    story.release()
    assert round_(jobs_inline)["withdrawn"] == 1
    assert written("withdrawn") == ["unapproved 3 client"]
    withdrawn = Message.objects.get(state="withdrawn")
    job = job_of(withdrawn)
    assert job.state == "cancelled"
    assert "withdrawn: what it was about is done" in job.error
    assert round_(jobs_inline)["withdrawn"] == 0
    queues.resume("email")
    jobs_inline.run_all(failures=True)
    arrived = [mail.rcpt_tos for mail in post_office.mails if b"No more reminders" in (mail.original_content or b"")]
    assert arrived == [[stays.client.email]]


def test_one_whose_days_are_over_is_taken_back_and_the_next_stage_goes_out(
    jobs_inline: ModuleType, post_office: PostOffice
) -> None:
    story = aged(escrow(), Reason.UNFUNDED)
    round_(jobs_inline)
    aged(story, Reason.UNFUNDED, 8)
    assert round_(jobs_inline) == {"withdrawn": 1, "written": 1, "looked at": 1}
    queues.resume("email")
    jobs_inline.run_all()
    assert (written("withdrawn"), written("sent")) == (["unfunded 3 client"], ["unfunded 7 client"])
    assert len(post_office.mails) == 1


def test_one_that_is_withdrawn_stays_so_when_a_person_retries_its_job(
    jobs_inline: ModuleType, post_office: PostOffice
) -> None:
    story = aged(escrow(), Reason.UNFUNDED)
    round_(jobs_inline)
    story.funded()
    round_(jobs_inline)
    queues.resume("email")
    message = the_one()
    run_mail(message)
    assert (message.state, message.sealed) == ("withdrawn", "")
    assert not any(b"not funded" in (mail.original_content or b"") for mail in post_office.mails)


def test_one_that_may_have_arrived_is_not_sent_again_once_its_reason_is_gone(
    jobs_inline: ModuleType, post_office: PostOffice
) -> None:
    story = aged(escrow(), Reason.UNFUNDED)
    round_(jobs_inline)
    queues.resume("email")
    message = the_one()
    Message.objects.filter(pk=message.pk).update(state="unknown", sending_since=now() - timedelta(days=1))
    story.funded()
    job = run_mail(message)
    assert (job.state, message.state) == ("completed", "unknown")
    assert message.error == "Not sent again: what it was about is done, or waits for somebody else"
    assert post_office.mails == []


# ------------------------------------------------------------------ unsubscribed
def test_who_has_unsubscribed_gets_no_reminder_and_every_other_mail(jobs_inline: ModuleType) -> None:
    first = aged(escrow(), Reason.UNFUNDED)
    round_(jobs_inline)
    unsubscribe.unsubscribe(Subscriber.objects.get(user=first.client).token, now=now())
    assert round_(jobs_inline)["withdrawn"] == 1
    assert the_one().error == "its reader has unsubscribed from reminders"
    aged(first, Reason.UNFUNDED, 8)
    assert round_(jobs_inline)["written"] == 0
    first.funded()
    assert Message.objects.filter(recipient=first.client.email, key__startswith="funded:").exists()


def test_who_unsubscribes_while_it_waits_is_sent_nothing(jobs_inline: ModuleType, post_office: PostOffice) -> None:
    story = aged(escrow(), Reason.UNFUNDED)
    round_(jobs_inline)
    unsubscribe.unsubscribe(Subscriber.objects.get(user=story.client).token, now=now())
    queues.resume("email")
    jobs_inline.run_all()
    assert (the_one().state, post_office.mails) == ("withdrawn", [])


def test_the_mail_offers_one_click_and_its_row_shows_nobody_the_link(
    jobs_inline: ModuleType, post_office: PostOffice
) -> None:
    story = aged(escrow(), Reason.UNFUNDED)
    round_(jobs_inline)
    link = unsubscribe.link(story.client.pk)
    assert the_one().context["unsubscribe_url"] == sealed.MASK
    queues.resume("email")
    jobs_inline.run_all()
    (mail,) = (message_from_bytes(sent.original_content or b"", policy=default) for sent in post_office.mails)
    assert (mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"]) == (f"<{link}>", "List-Unsubscribe=One-Click")
    assert link in part(mail, "plain")
    assert f'href="{link}"' in part(mail, "html")


def test_no_other_letter_of_money_offers_it() -> None:
    story = escrow().delivered()
    letters.milestone_delivered(story.fresh())
    for message in Message.objects.all():
        assert "unsubscribe_url" not in message.context | sealed.unseal(message.sealed)


# ------------------------------------------------------------------ many
def test_it_goes_slice_by_slice_and_shows_how_far_it_is(
    jobs_inline: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payments.reminders.rounds.SLICE", 2)
    for _ in range(5):
        aged(escrow(), Reason.UNFUNDED)
    assert round_(jobs_inline)["written"] == 5
    job = Job.objects.get(kind="payments.send_reminders")
    assert job.progress == {"withdrawn": 0, "written": 5, "looked at": 5, "of": 5}
    Milestone.objects.update(created_at=now() - timedelta(days=30))
    assert round_(jobs_inline)["withdrawn"] == 5


def test_after_its_turn_the_others_of_the_queue_have_theirs(
    jobs_inline: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payments.reminders.rounds.SLICE", 1)
    monkeypatch.setattr("payments.tasks.TURN", -1.0)
    for _ in range(2):
        aged(escrow(), Reason.UNFUNDED)
    tasks.send_reminders.delay()
    runs = [one.outcome for one in jobs_inline.drain() if one.job.kind == "payments.send_reminders"]
    assert runs == ["snoozed", "snoozed", "completed"]
    assert written() == ["unfunded 3 client"] * 2


def test_what_was_written_before_is_looked_up_together_and_not_rendered(
    jobs_inline: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(8):
        aged(escrow(), Reason.UNFUNDED)
    round_(jobs_inline)

    def render(**_: Any) -> Any:
        raise AssertionError("a mail was rendered")

    monkeypatch.setattr(compose, "render", render)
    with CaptureQueriesContext(connection) as asked:
        found = reminders.remind_next(Reason.UNFUNDED, after=0, now=now())
    assert (found.looked_at, found.changed) == (8, 0)
    assert len(asked) <= 5, "by slice, not by milestone"
