"""500 mails, and the workers that send them killed again and again: none is lost, and none sent twice but those in
flight at a kill.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from email import message_from_bytes
from signal import SIGKILL
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from contralock.local.ports import LOOPBACK
from contralock.local.waiting import wait_until
from jobs.models import Job
from notifications import services
from notifications.models import Message
from tests.nodes import BeatNode, WorkerNode
from tests.notifications.post_office import PostOffice, open_office

MAILS = 500
PROCESSES = 3
RESEND_AFTER = 5.0  # seconds


@pytest.fixture
def office(settings: Any) -> Iterator[PostOffice]:
    yield from open_office(PostOffice(), settings)


def post(count: int) -> None:
    """Ask for so many, each to another person."""
    context = {"first_name": "Ada", "role": "client"}
    written = [
        services.write(
            key=f"welcome:{number}", template="welcome", to=f"ada{number}@example.com", name="Ada", language="en",
            context=context,
        )
        for number in range(count)
    ]  # fmt: skip
    services.post(written)


def strike(office: PostOffice, at: int, blow: Callable[[], None]) -> set[UUID]:
    """Once so many mails have arrived, and while the server has yet another without having said so, do it.

    Returns which mails are in flight then, by what is written down. None of them was at an earlier blow: a mail in
    doubt twice is left to a person, which is another story (tests/notifications/test_doubt.py).
    """
    wait_until(lambda: len(office.mails) >= at, limit=40, what=f"{at} mails")
    struck = threading.Event()

    def strike() -> None:
        again = Message.objects.filter(state="sending", resends__gt=0).exists()
        connection.close()  # this thread is the mail server's
        if again:
            office.will("mail", strike)
            return
        blow()
        struck.set()

    office.will("mail", strike)
    assert struck.wait(40)
    return set(Message.objects.filter(state="sending").values_list("pk", flat=True))


def kill_pool(worker: WorkerNode) -> None:
    """SIGKILL to all processes of its pool; their main process starts others."""
    for pid in worker.children():
        os.kill(pid, SIGKILL)


def test_of_500_mails_none_is_lost_and_only_those_in_flight_at_a_kill_come_twice(
    start_worker: Callable[..., WorkerNode],
    beat: BeatNode,
    office: PostOffice,
    figure: Callable[[str, object], None],
) -> None:
    mail = {
        "SMTP_HOST": LOOPBACK,
        "SMTP_PORT": str(office.controller.port),
        "SMTP_STARTTLS": "false",
        "MAIL_RESEND_AFTER": str(RESEND_AFTER),
    }
    post(MAILS)
    worker = start_worker("email", concurrency=PROCESSES, **mail)
    in_flight = strike(office, 60, lambda: kill_pool(worker))
    in_flight |= strike(office, 120, worker.kill)
    worker = start_worker("email", concurrency=PROCESSES, **mail)
    in_flight |= strike(office, 180, lambda: kill_pool(worker))
    wait_until(lambda: not Message.objects.exclude(state="sent").exists(), limit=100, what="all mails sent")
    wait_until(lambda: not Job.objects.exclude(state="completed").exists(), limit=10, what="all jobs completed")

    times = Counter(str(message_from_bytes(mail.content or b"")["Message-ID"]) for mail in office.mails)  # type: ignore[arg-type]
    ids = dict(Message.objects.values_list("message_id", "pk"))
    twice = {ids[message_id] for message_id, number in times.items() if number > 1}
    sent_again = set(Message.objects.filter(resends__gt=0).values_list("pk", flat=True))
    figure(f"{MAILS} mails, {3 * PROCESSES} processes killed in 3 blows: lost", MAILS - len(times))
    figure(f"{MAILS} mails: in flight at a kill and sent again", len(sent_again))
    figure(f"{MAILS} mails: arrived twice", len(twice))
    assert set(times) == set(ids), "none lost"
    assert 3 <= len(twice) <= 3 * PROCESSES, "at each blow one was with the server; each process has one at most"
    assert max(times.values()) == 2
    assert twice <= sent_again <= in_flight
