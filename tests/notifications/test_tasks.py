"""Sending a stored message, run by the real engine against a real mail server."""

from __future__ import annotations

from email import message_from_bytes
from typing import Any

import pytest
from django.db import connection

from jobs import LeaseLost, Released
from jobs.context import JobContext
from jobs.execution import run_job
from jobs.kinds import kind_of
from jobs.models import Attempt, Job
from notifications import services
from notifications.models import Message
from notifications.tasks import send_message
from tests.notifications.post_office import PostOffice
from tests.notifications.running import run

pytestmark = pytest.mark.django_db(transaction=True)


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
    assert message.job_id is not None
    Message.objects.all().delete()
    assert run_job(kind_of("notifications.send_message"), message.job_id) == "skipped"


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
    post_office.will("RCPT", "554 mailbox full of bees")
    run(message)
    assert (run(message).state, message.state, message.error) == ("completed", "sent", "")


def test_a_server_that_is_away_costs_an_attempt_and_leaves_no_doubt(
    message: Message, post_office: PostOffice, settings: Any
) -> None:
    settings.EMAIL_PORT = 1
    job = run(message)
    assert (job.state, message.state, message.sending_since) == ("delayed", "queued", None)


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
