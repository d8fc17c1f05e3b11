"""A mail that may have arrived: waited for, sent again once, then left to a person."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
from django.utils import timezone

from notifications.models import Message
from tests.notifications.post_office import PostOffice
from tests.notifications.running import delay, long_ago, run

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_the_doubt_that_a_killed_worker_left_outlasts_a_second_try_that_fails_for_now(
    message: Message, post_office: PostOffice, settings: Any
) -> None:
    Message.objects.update(state="sending", sending_since=timezone.now() - timedelta(days=1))
    settings.EMAIL_PORT = 1
    job = run(message)
    assert (job.state, message.state, message.resends) == ("delayed", "unknown", 0)


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
