"""Letters where everybody hears of the same money: ten at once, webhook and job, an answer that never came."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from types import ModuleType
from typing import Any

import pytest

from jobs.database import now
from jobs.models import Job
from notifications.models import Message
from payments import outcomes, services
from payments.facts import PayoutState
from payments.models import Operation
from payments.states import Dispatch
from tests.notifications.post_office import PostOffice
from tests.payments.live import Live, live_escrow, use
from tests.payments.marks import COMMITTED
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import LocalStripe, local_stripe, local_stripe_process
from tests.payments.story import NOW, at_once, escrow, fresh, payment, payout, sent, transfer
from tests.payments.test_webhooks import PLATFORM, SECRETS, events, post

__all__ = ["local_stripe", "local_stripe_process"]


@pytest.fixture
def stripe(local_stripe: LocalStripe, settings: Any) -> Cast:
    use(settings, local_stripe.url)
    settings.STRIPE_WEBHOOK_SECRETS = [SECRETS[PLATFORM]]
    return Cast(local_stripe.url, local_stripe.key)


def letters(event: str) -> int:
    return Message.objects.filter(key__startswith=f"{event}:").count()


@COMMITTED
def test_of_ten_who_are_told_of_the_same_money_at_once_one_writes() -> None:
    story = escrow()
    deposit = story.deposit()
    at_once(*[lambda: outcomes.deposit_seen(deposit.pk, payment(deposit), livemode=False, now=NOW)] * 10)
    release = sent(story.release())
    at_once(*[lambda: outcomes.release_seen(release.pk, transfer(release), now=NOW)] * 10)
    withdrawal = sent(story.withdraw(9_500))
    states = [PayoutState.PENDING, PayoutState.IN_TRANSIT, PayoutState.PAID] * 3
    at_once(
        *[
            lambda state=state: outcomes.withdrawal_seen(withdrawal.pk, payout(withdrawal, state), now=NOW)
            for state in states
        ]
    )
    assert (letters("funded"), letters("released"), letters("withdrawal_sent")) == (2, 2, 1)
    jobs = Job.objects.filter(kind="notifications.send_message")
    assert jobs.count() == 5
    assert {str(job_id) for job_id in Message.objects.values_list("job_id", flat=True)} == {str(job.pk) for job in jobs}


def approved(stripe: Cast, inline: ModuleType) -> tuple[Live, Operation]:
    story = live_escrow(stripe)
    story.deposit()
    inline.run_all(failures=True)
    story.pay()
    _all(inline)
    services.deliver(story.milestone.pk, by=story.freelancer)
    return story, story.release()


def _all(inline: ModuleType) -> None:
    inline.drain(until=now() + timedelta(hours=2), failures=True)


@pytest.mark.django_db
def test_webhook_and_job_both_see_the_payment_and_one_mail_arrives(
    stripe: Cast, jobs_inline: ModuleType, post_office: PostOffice
) -> None:
    story, release = approved(stripe, jobs_inline)
    _all(jobs_inline)
    for event in events(stripe):
        for _ in range(2):
            post(event)
    _all(jobs_inline)
    assert fresh(release).booked_at is not None
    arrived = [
        message_from_bytes(mail.original_content or b"", policy=default)
        for mail in post_office.mails
        if mail.rcpt_tos == [story.freelancer.email]
    ]
    assert [mail["Subject"] for mail in arrived] == [
        "“Its plan” is funded: you can start",
        "You were paid $95.00 for “Its plan”",
    ]
    assert {mail["Auto-Submitted"] for mail in arrived} == {"auto-generated"}


@pytest.mark.django_db
def test_a_release_whose_answer_was_lost_pays_nobody_in_words_until_it_is_known(
    stripe: Cast, jobs_inline: ModuleType
) -> None:
    story, release = approved(stripe, jobs_inline)
    lost = story.control.fault("drop_after", path="/v1/transfers", method="POST")
    jobs_inline.run_all(failures=True)
    assert fresh(release).dispatch == Dispatch.UNKNOWN
    assert (story.count(release), letters("released")) == (1, 0)
    story.control.clear_faults(lost)
    _all(jobs_inline)
    assert (story.count(release), letters("released")) == (1, 2)
