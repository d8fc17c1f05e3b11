"""Asking for a mail."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.db import connection, transaction

from jobs.models import Job
from notifications import compose, services
from notifications.models import Message

WELCOME: dict[str, Any] = {
    "key": "welcome:42",
    "template": "welcome",
    "to": "ada@example.com",
    "name": "Ada Lovelace",
    "language": "en",
    "context": {"first_name": "Ada", "role": "client"},
}


@pytest.mark.django_db
def test_a_message_and_its_job_are_written_together() -> None:
    message = services.send(**WELCOME)
    job = Job.objects.get()
    assert (job.kind, job.queue, job.max_attempts) == ("notifications.send_message", "email", 5)
    assert job.args == {"message_id": str(message.pk)}  # no personal data
    assert job.subject == "welcome:42"
    stored = Message.objects.get()
    assert (stored.job_id, stored.state, stored.subject) == (job.pk, "queued", "Welcome to ContraLock!")
    assert stored.message_id == f"<{message.pk}@contralock.example>"


@pytest.mark.django_db
def test_the_same_key_is_sent_once() -> None:
    first = services.send(**WELCOME)
    second = services.send(**WELCOME | {"to": "other@example.com"})
    assert second.pk == first.pk
    assert second.recipient == "ada@example.com"
    assert Job.objects.count() == 1


@pytest.mark.django_db
def test_what_the_caller_rolls_back_was_never_asked_for() -> None:
    with transaction.atomic():
        services.send(**WELCOME)
        transaction.set_rollback(True)
    assert not Message.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_callers_with_one_key_at_the_same_moment_get_one_message() -> None:
    barrier = threading.Barrier(4)
    found: list[uuid.UUID] = []

    def ask() -> None:
        barrier.wait()
        found.append(services.send(**WELCOME).pk)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert (Message.objects.count(), Job.objects.count()) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"template": "welcom"}, compose.UnknownTemplate),
        ({"context": {"role": "client"}}, compose.MissingVariable),
        ({"key": ""}, services.InvalidMessage),
        ({"key": "k" * 201}, services.InvalidMessage),
        ({"key": "a\0b"}, services.InvalidMessage),
        ({"to": "nobody"}, services.InvalidMessage),
        ({"to": "zoë@example.com"}, services.InvalidMessage),
        ({"to": "a@b.de\nBcc: c@d.de"}, services.InvalidMessage),
        ({"to": ""}, services.InvalidMessage),
        ({"context": {"first_name": object(), "role": "client"}}, services.InvalidMessage),
        ({"context": {"first_name": float("nan"), "role": "client"}}, services.InvalidMessage),
        ({"context": {"first_name": "A\0", "role": "client"}}, services.InvalidMessage),
        ({"context": {"first_name": "\ud800", "role": "client"}}, services.InvalidMessage),
    ],
)
def test_what_could_never_be_sent_is_refused_at_the_caller(wrong: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        services.send(**WELCOME | wrong)
    assert not Message.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", [r"\u0000", r"\\u0000", "Zoë 🦊", "<b>"])
def test_any_other_text_is_stored_as_it_is(name: str) -> None:
    message = services.send(**WELCOME | {"context": {"first_name": name, "role": "client"}})
    message.refresh_from_db()
    assert message.context["first_name"] == name


@pytest.mark.django_db
def test_a_name_becomes_one_line() -> None:
    assert services.send(**WELCOME | {"name": "Ada\r\nBcc: x@y.de"}).recipient_name == "Ada Bcc: x@y.de"


@pytest.mark.django_db
def test_several_are_posted_in_one_go_and_those_that_are_there_already_are_not_sent_again() -> None:
    first = services.send(**WELCOME)
    written = [services.write(**WELCOME | {"key": key}) for key in ("welcome:42", "welcome:43", "welcome:44")]
    assert Message.objects.count() == 1, "writing stores nothing"
    posted = services.post(written)
    assert [message.key for message in posted] == ["welcome:42", "welcome:43", "welcome:44"]
    assert posted[0].pk == first.pk
    assert {job.subject: job.pk for job in Job.objects.all()} == {message.key: message.job_id for message in posted}
    assert all(message.job_id for message in Message.objects.all())


@pytest.mark.django_db
def test_an_address_that_takes_no_mail_is_told_apart_from_other_mistakes() -> None:
    with pytest.raises(services.InvalidAddress):
        services.write(**WELCOME | {"to": "zoë@example.com"})
    with pytest.raises(services.InvalidMessage) as mistake:
        services.write(**WELCOME | {"key": ""})
    assert not isinstance(mistake.value, services.InvalidAddress)
