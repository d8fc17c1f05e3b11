"""Sending a stored message, run by the real engine against a real mail server."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
from celery.exceptions import Retry
from django.db import connection
from django.utils import timezone

from jobs import LeaseLost, Released
from jobs.context import JobContext
from jobs.execution import JobFailed, run_job
from jobs.kinds import kind_of
from jobs.models import Attempt, Job
from notifications import services
from notifications.models import Message
from notifications.tasks import send_message
from tests.notifications.post_office import PostOffice

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def message(post_office: PostOffice) -> Message:
    return services.send(
        key="welcome:42",
        template="welcome",
        to="ada@example.com",
        name="Ada",
        language="en",
        context={"first_name": "Ada", "role": "client"},
    )


def run(message: Message) -> Job:
    """Run the message's job once more, as a worker would; what waits for its time waits no longer."""
    Job.objects.filter(pk=message.job_id).exclude(state="waiting").update(state="waiting", finished_at=None)
    with suppress(Retry, JobFailed):
        run_job(kind_of("notifications.send_message"), message.job_id or uuid.UUID(int=0))
    message.refresh_from_db()
    return Job.objects.get(pk=message.job_id)


def delay(job: Job) -> float:
    """Seconds until the job runs again."""
    return (job.available_at - timezone.now()).total_seconds()


def test_a_queued_message_is_sent(message: Message, post_office: PostOffice) -> None:
    job = run(message)
    assert (job.state, message.state, message.resends) == ("completed", "sent", 0)
    assert message.server_reply == "250 2.0.0 queued as 4711"
    assert message.sent_at is not None
    assert job.result == {"message_id": message.message_id, "server": message.server_reply}
    mail = message_from_bytes(post_office.mails[0].content)  # type: ignore[arg-type]
    assert mail["Message-ID"] == message.message_id
    assert mail["Subject"] == message.subject


def test_a_sent_message_is_not_sent_again(message: Message, post_office: PostOffice) -> None:
    run(message)
    job = run(message)
    assert job.state == "completed"
    assert Attempt.objects.filter(job_id=job.pk, outcome="skipped").count() == 1
    assert len(post_office.mails) == 1


def test_a_message_that_was_deleted_is_skipped(message: Message, post_office: PostOffice) -> None:
    job_id = message.job_id
    Message.objects.all().delete()
    assert run_job(kind_of("notifications.send_message"), job_id) == "skipped"  # type: ignore[arg-type]


def test_it_is_written_down_before_the_mail_is_handed_over(message: Message, post_office: PostOffice) -> None:
    seen: list[Any] = []

    def look() -> None:
        seen.extend(Message.objects.values_list("state", "resends", "sent_at"))
        connection.close()

    post_office.will("DATA", look)  # on the server's thread, so on a connection of its own: what is committed
    run(message)
    assert seen == [("sending", 0, None)]


def test_a_refusal_for_good_fails_message_and_job_at_once_in_the_servers_words(
    message: Message, post_office: PostOffice
) -> None:
    post_office.will("RCPT", "550 5.1.1 no such user here")
    job = run(message)
    assert (job.state, job.failures, message.state) == ("failed", 1, "failed")
    assert "550 5.1.1 no such user here" in message.error
    assert "550 5.1.1 no such user here" in job.error


def test_a_refusal_for_now_puts_the_message_back_and_backs_off(message: Message, post_office: PostOffice) -> None:
    post_office.will("mail", "451 4.7.1 greylisted")
    job = run(message)
    assert (job.state, job.failures, message.state) == ("delayed", 1, "queued")
    assert "451 4.7.1 greylisted" in message.error
    assert run(message).state == "completed"
    assert (message.state, message.error, message.resends) == ("sent", "", 0)
    assert len(post_office.mails) == 1


def test_the_last_attempt_that_fails_fails_the_message(message: Message, post_office: PostOffice) -> None:
    post_office.will("MAIL", *["450 busy"] * 5)
    states = [(run(message).state, message.state) for _ in range(5)]
    assert states == [("delayed", "queued")] * 4 + [("failed", "failed")]


def test_a_failed_message_is_sent_when_a_person_retries_its_job(message: Message, post_office: PostOffice) -> None:
    post_office.will("RCPT", "550 mailbox full of bees")
    run(message)
    assert (run(message).state, message.state, message.error) == ("completed", "sent", "")


def test_a_server_that_is_away_costs_an_attempt_and_leaves_no_doubt(
    message: Message, post_office: PostOffice, settings: Any
) -> None:
    settings.EMAIL_PORT = 1
    job = run(message)
    assert (job.state, message.state, message.sending_since) == ("delayed", "queued", None)


def test_a_mail_in_doubt_is_sent_again_once_with_the_same_message_id(
    message: Message, post_office: PostOffice, settings: Any
) -> None:
    post_office.will("mail", "hang up")
    job = run(message)
    assert (job.state, job.failures, message.state) == ("delayed", 0, "unknown")
    assert delay(job) == pytest.approx(settings.MAIL_RESEND_AFTER, abs=5)
    long_ago(message)
    job = run(message)
    assert (job.state, message.state, message.resends) == ("completed", "sent", 1)
    assert {message_from_bytes(mail.content)["Message-ID"] for mail in post_office.mails} == {message.message_id}  # type: ignore[arg-type]
    assert len(post_office.mails) == 2


def test_a_mail_in_doubt_twice_is_left_to_a_person(message: Message, post_office: PostOffice) -> None:
    post_office.will("mail", "hang up", "hang up")
    run(message)
    long_ago(message)
    job = run(message)
    assert (job.state, message.state, message.resends) == ("unknown", "unknown", 1)
    job = run(message)  # too early: whoever retries it, a person or a worker that died meanwhile
    assert (job.state, len(post_office.mails)) == ("unknown", 2)
    long_ago(message)
    job = run(message)
    assert (job.state, message.state, message.resends, len(post_office.mails)) == ("completed", "sent", 2, 3)


def test_a_mail_in_doubt_is_not_sent_again_too_early(message: Message, post_office: PostOffice) -> None:
    post_office.will("mail", "hang up")
    run(message)
    job = run(message)
    assert (job.state, message.state, len(post_office.mails)) == ("delayed", "unknown", 1)


def test_a_message_that_a_killed_worker_was_sending_waits_and_is_sent_again_once(
    message: Message, post_office: PostOffice, settings: Any
) -> None:
    began = timezone.now() - timedelta(seconds=100)
    Message.objects.update(state="sending", sending_since=began)
    job = run(message)
    assert (job.state, job.failures, message.state, post_office.mails) == ("delayed", 0, "unknown", [])
    assert delay(job) == pytest.approx(settings.MAIL_RESEND_AFTER - 100, abs=5)
    long_ago(message)
    job = run(message)
    assert (job.state, message.state, message.resends, len(post_office.mails)) == ("completed", "sent", 1, 1)


def test_a_second_try_that_a_killed_worker_was_making_is_left_to_a_person(
    message: Message, post_office: PostOffice
) -> None:
    Message.objects.update(state="sending", resends=1, sending_since=timezone.now() - timedelta(days=1))
    job = run(message)
    assert (job.state, message.state, post_office.mails) == ("unknown", "unknown", [])


def test_a_second_try_that_fails_for_now_keeps_the_doubt_about_the_first(
    message: Message, post_office: PostOffice, settings: Any
) -> None:
    post_office.will("mail", "hang up")
    run(message)
    long_ago(message)
    settings.EMAIL_PORT = 1
    job = run(message)
    assert (job.state, message.state, message.resends) == ("delayed", "unknown", 0)


@pytest.mark.parametrize("reason", [Released("the worker stops"), LeaseLost("another worker owns it")])
def test_a_job_that_may_not_go_on_takes_its_doubt_back(
    message: Message, post_office: PostOffice, monkeypatch: pytest.MonkeyPatch, reason: Exception
) -> None:
    def stop(_context: JobContext) -> None:
        raise reason

    with monkeypatch.context() as patch:
        patch.setattr(JobContext, "checkpoint", stop)
        run(message)
    assert (message.state, post_office.mails) == ("queued", [])
    run(message)
    assert (message.state, message.resends, len(post_office.mails)) == ("sent", 0, 1)


def test_a_cancelled_job_sends_nothing(message: Message, post_office: PostOffice) -> None:
    def cancel() -> None:
        Job.objects.update(cancel_requested=True)
        connection.close()

    post_office.will("RCPT", cancel)
    job = run(message)
    assert (job.state, message.state, post_office.mails) == ("cancelled", "queued", [])


def test_a_kept_connection_that_dies_costs_neither_attempt_nor_resend(
    message: Message, post_office: PostOffice
) -> None:
    run(message)
    other = services.send(
        key="welcome:43",
        template="welcome",
        to="bob@example.com",
        name="Bob",
        language="de",
        context={"first_name": "Bob", "role": "freelancer"},
    )
    post_office.will("DATA", "hang up")  # after the doubt was written
    job = run(other)
    assert (job.state, job.runs, job.failures, other.resends) == ("completed", 1, 0, 0)


def test_outside_of_a_job_the_function_says_so(message: Message) -> None:
    with pytest.raises(LookupError, match="no job is running"):
        send_message(message_id=message.pk)


def long_ago(message: Message) -> None:
    """Let MAIL_RESEND_AFTER pass."""
    Message.objects.filter(pk=message.pk).update(sending_since=timezone.now() - timedelta(days=1))
