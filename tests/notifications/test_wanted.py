"""Mails that are no longer wanted: asked right before the hand-over, withdrawn for good, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from jobs.models import Job
from notifications import keeping, lifecycle, services, wanted
from notifications.models import Message
from tests.notifications.post_office import PostOffice
from tests.notifications.running import long_ago, run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Have this said of welcomes; returns the keys of those it was asked about."""
    monkeypatch.setattr(wanted, "_asked", {})

    def say(why: str) -> list[str]:
        seen: list[str] = []

        def ask(message: Message, now: datetime) -> str:
            assert abs(timezone.now() - now) < timedelta(minutes=1)
            seen.append(message.key)
            return why

        wanted.register("welcome", ask)
        return seen

    return say


def test_one_that_is_not_wanted_is_withdrawn_in_the_askers_words_and_not_handed_over(
    message: Message, post_office: PostOffice, answer: Callable[[str], list[str]]
) -> None:
    seen = answer("they have left")
    job = run(message)
    assert (job.state, job.result) == ("completed", {"skipped": "withdrawn: they have left"})
    assert (message.state, message.error, seen) == ("withdrawn", "they have left", ["welcome:42"])
    answer("")
    run(message)
    assert (message.state, post_office.mails) == ("withdrawn", []), "it stays so"


def test_one_that_is_wanted_is_sent(
    message: Message, post_office: PostOffice, answer: Callable[[str], list[str]]
) -> None:
    seen = answer("")
    run(message)
    assert (message.state, len(post_office.mails)) == ("sent", 1)
    assert seen == ["welcome:42"] * 2, "before a connection is made, and right before the hand-over"


def test_nobody_is_asked_about_the_mails_of_others(message: Message, answer: Callable[[str], list[str]]) -> None:
    seen = answer("they have left")
    Message.objects.update(key="welcomes:42")
    message.refresh_from_db()
    run(message)
    assert (message.state, seen) == ("sent", [])


def test_it_is_asked_as_late_as_can_be(
    message: Message, post_office: PostOffice, answer: Callable[[str], list[str]]
) -> None:
    """After the server has agreed to sender and recipient, which may take its time."""

    def leave() -> None:
        answer("they have left")

    post_office.will("RCPT", leave)
    run(message)
    assert (message.state, post_office.mails) == ("withdrawn", [])


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_one_that_may_have_arrived_stays_in_doubt(
    state: str, message: Message, post_office: PostOffice, answer: Callable[[str], list[str]]
) -> None:
    Message.objects.update(state=state, sending_since=timezone.now())
    long_ago(message)
    answer("they have left")
    job = run(message)
    assert (job.state, message.state, message.resends) == ("completed", "unknown", 0)
    assert (message.error, post_office.mails) == ("Not sent again: they have left", [])


def test_withdrawing_cancels_the_job_and_is_done_once(message: Message) -> None:
    assert services.withdraw(message, why="they have left")
    assert (message.state, message.error) == ("withdrawn", "they have left")
    assert Job.objects.get().state == "cancelled"
    assert not services.withdraw(message, why="again")


@pytest.mark.parametrize("state", ["sending", "unknown", "sent"])
def test_what_a_server_may_have_is_not_withdrawn(state: str, message: Message) -> None:
    now = timezone.now()
    Message.objects.update(state=state, sending_since=now, sent_at=now if state == "sent" else None)
    message.refresh_from_db()
    assert not services.withdraw(message, why="they have left")
    assert (message.state, Job.objects.get().state) == (state, "waiting")


def test_of_a_withdrawal_and_a_hand_over_at_the_same_moment_one_wins(message: Message) -> None:
    """Whoever saw the row before the other changed it has lost."""
    other = Message.objects.get()
    assert lifecycle.begin(other, resends=0, now=timezone.now())
    assert not services.withdraw(message, why="they have left")
    assert Message.objects.get().state == "sending"


def test_a_failed_one_may_be_withdrawn_although_its_job_has_ended(message: Message, post_office: PostOffice) -> None:
    post_office.will("RCPT", "550 5.7.1 no")
    assert run(message).state == "failed"
    assert services.withdraw(message, why="they have left")
    assert Job.objects.get().state == "failed"


def test_old_ones_leave_for_the_archive(message: Message) -> None:
    services.withdraw(message, why="they have left")
    late = timezone.now() + keeping.KEPT + timedelta(days=1)
    assert keeping.ARCHIVABLE.due(late, 10) == [message.pk]
