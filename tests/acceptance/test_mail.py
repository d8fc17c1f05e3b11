"""A person registers and gets a mail: with real workers, and with workers that are killed while they send it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from email import message_from_bytes
from typing import Any

import pytest

from contralock.local.ports import LOOPBACK
from contralock.local.waiting import wait_until
from jobs.models import Job
from notifications.models import Message
from tests.accounts.registering import register
from tests.nodes import BeatNode, WorkerNode
from tests.notifications.post_office import PostOffice, open_office

type Figure = Callable[[str, object], None]
type Start = Callable[..., WorkerNode]

RESEND_AFTER = 4.0


@pytest.fixture
def office(settings: Any) -> Iterator[PostOffice]:
    yield from open_office(PostOffice(), settings)


@pytest.fixture
def start_mailer(start_worker: Start, office: PostOffice) -> Callable[[], WorkerNode]:
    """Start a worker of the mail queue that sends to `office`."""
    mail = {
        "SMTP_HOST": LOOPBACK,
        "SMTP_PORT": str(office.controller.port),
        "SMTP_STARTTLS": "false",
        "MAIL_RESEND_AFTER": str(RESEND_AFTER),
    }
    return lambda: start_worker("email", **mail)


def ids(office: PostOffice) -> list[str]:
    """Message-IDs of what the server got."""
    return [str(message_from_bytes(mail.content or b"")["Message-ID"]) for mail in office.mails]  # type: ignore[arg-type]


def wait_for_message(state: str) -> Message:
    wait_until(lambda: Message.objects.get().state == state, limit=20, what=f"message {state}")
    return Message.objects.get()


def test_a_person_registers_and_soon_has_a_welcome_mail(
    start_mailer: Callable[[], WorkerNode], office: PostOffice, figure: Figure
) -> None:
    start_mailer()
    began = time.monotonic()
    assert register().status_code == 201
    wait_until(lambda: bool(office.mails), limit=10, what="a mail")
    figure("from registration to the mail server (s)", round(time.monotonic() - began, 3))
    message = wait_for_message("sent")
    assert ids(office) == [message.message_id]
    wait_until(lambda: Job.objects.get(subject=message.key).state == "completed", limit=5, what="completed job")


def test_a_worker_killed_while_the_server_had_the_mail_leaves_doubt_that_one_second_mail_ends(
    start_mailer: Callable[[], WorkerNode], beat: BeatNode, office: PostOffice
) -> None:
    victim = start_mailer()
    office.will("mail", "silence")
    register()
    wait_until(lambda: bool(office.mails), limit=10, what="a mail that is not answered")
    victim.kill()
    began = Message.objects.get().sending_since
    start_mailer()
    message = wait_for_message("sent")
    assert ids(office) == [message.message_id] * 2
    assert (message.resends, began is not None) == (1, True)
    assert (message.sending_since - began).total_seconds() >= RESEND_AFTER  # type: ignore[operator]
    job = Job.objects.get(subject=message.key)
    assert (job.crashes, job.failures) == (1, 0)


def test_a_worker_killed_before_the_server_had_the_mail_costs_nothing_but_time(
    start_mailer: Callable[[], WorkerNode], beat: BeatNode, office: PostOffice
) -> None:
    victim = start_mailer()
    office.will("RCPT", "silence")
    register()
    wait_until(lambda: "RCPT" in office.heard, limit=10, what="a recipient that is not answered")
    victim.kill()
    assert Message.objects.get().state == "queued"
    start_mailer()
    message = wait_for_message("sent")
    assert (ids(office), message.resends) == ([message.message_id], 0)


def test_a_worker_that_is_stopped_says_goodbye_to_the_mail_server(
    start_mailer: Callable[[], WorkerNode], office: PostOffice
) -> None:
    worker = start_mailer()
    register()
    wait_for_message("sent")
    worker.stop()
    assert office.heard[-1] == "QUIT"
