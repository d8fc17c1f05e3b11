"""Addresses that take no mail: what suppresses them, what that means for a mail, and how it ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from notifications import services, smtp, suppression
from notifications.models import Message, Suppression
from notifications.smtp import answers
from notifications.states import Reason
from tests.notifications.post_office import PostOffice
from tests.notifications.running import run

real = pytest.mark.django_db(transaction=True)

GONE = "550 5.1.1 no such user here"


def another(to: str) -> Message:
    return services.send(
        key=f"welcome:{to}", template="welcome", to=to, name="Ada", language="en",
        context={"first_name": "Ada", "role": "client"},
    )  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [GONE, "553 5.1.3 bad syntax", "556 5.1.10 takes no mail", "550 user unknown", "551 not here", "553 no mailbox"],
)
def test_a_server_that_does_not_have_the_recipient_means_the_address(answer: str) -> None:
    assert refused("RCPT", answer).hard_bounce


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("RCPT", "550 5.7.1 we do not like you"),
        ("RCPT", "552 5.2.2 mailbox full"),
        ("RCPT", "552 mailbox full"),
        ("RCPT", "550 5.2.1 mailbox disabled for now"),
        ("RCPT", "553 5.1.8 sender's domain does not exist"),
        ("RCPT", "550 relay not permitted"),
        ("RCPT", "550 blocked, see https://list.example"),
        ("RCPT", "554 no"),
        ("DATA", "550 5.1.1 nobody"),
        ("the mail", "550 5.7.1 this is spam"),
        ("the mail", "550 no such user, it seems"),
        ("MAIL", "552 5.3.4 too large"),
    ],
)
def test_a_refusal_of_the_mail_or_of_us_does_not(step: str, answer: str) -> None:
    assert not refused(step, answer).hard_bounce


def test_what_no_mail_can_hold_is_no_bounce() -> None:
    assert not smtp.Rejected("No mail can be written").hard_bounce


def refused(command: str, answer: str) -> smtp.Rejected:
    """What such an answer raises."""
    code, _, words = answer.partition(" ")
    with pytest.raises(smtp.Rejected) as caught:
        answers.read(command, int(code), words.encode(), good=250)
    return caught.value


def test_a_refusal_tells_command_and_codes_also_of_several_lines() -> None:
    refusal = refused("RCPT", "550 5.1.1 The account does not exist.\n5.1.1 Try double-checking")
    assert (refusal.command, refusal.code, refusal.enhanced) == ("RCPT", 550, "5.1.1")


@real
def test_a_hard_bounce_suppresses_the_address_in_the_servers_words(message: Message, post_office: PostOffice) -> None:
    post_office.will("RCPT", GONE)
    job = run(message)
    assert (job.state, message.state) == ("failed", "failed")
    found = Suppression.objects.get()
    assert (found.address, found.reason, found.message_key) == ("ada@example.com", Reason.BOUNCED, message.key)
    assert GONE in found.words
    assert found.lifted_at is None


@real
def test_another_refusal_for_good_suppresses_nobody(message: Message, post_office: PostOffice) -> None:
    post_office.will("RCPT", "552 5.2.2 mailbox full")
    assert (run(message).state, Suppression.objects.count()) == ("failed", 0)


@real
def test_a_mail_to_a_suppressed_address_fails_without_a_word_to_the_server(
    message: Message, post_office: PostOffice
) -> None:
    post_office.will("RCPT", GONE)
    run(message)
    heard = len(post_office.heard)
    other = another("Ada@Example.com")
    assert other.state == "queued"
    job = run(other)
    assert (job.state, job.failures, other.state) == ("failed", 1, "failed")
    assert "the address is suppressed since" in other.error
    assert GONE in other.error
    assert "Lift the suppression, then retry this job" in job.error
    assert len(post_office.heard) == heard
    assert run(another("bob@example.com")).state == "completed"


@real
def test_after_lifting_a_retry_sends_what_had_failed(message: Message, post_office: PostOffice) -> None:
    post_office.will("RCPT", GONE)
    run(message)
    lifted = suppression.lift(Suppression.objects.get().pk, by="root", why=" she says it works ", now=timezone.now())
    assert (lifted.lifted_by, lifted.lifted_why) == ("root", "she says it works")
    assert (run(message).state, message.state, message.error) == ("completed", "sent", "")


@real
def test_who_bounces_after_lifting_is_suppressed_again_beside_the_old_row(
    message: Message, post_office: PostOffice
) -> None:
    post_office.will("RCPT", GONE, GONE)
    run(message)
    suppression.lift(Suppression.objects.get().pk, by="root", why="she says it works", now=timezone.now())
    run(message)
    assert sorted(row.lifted_at is None for row in Suppression.objects.all()) == [False, True]


@pytest.mark.django_db
def test_lifting_needs_a_reason_and_happens_once() -> None:
    suppression.enter("a@b.de", reason=Reason.BOUNCED, words=GONE, message_key="", now=timezone.now())
    pk = Suppression.objects.get().pk
    with pytest.raises(suppression.CannotLift, match="why"):
        suppression.lift(pk, by="root", why="  ", now=timezone.now())
    suppression.lift(pk, by="root", why="works", now=timezone.now())
    with pytest.raises(suppression.CannotLift, match="already"):
        suppression.lift(pk, by="root", why="works", now=timezone.now())


@pytest.mark.django_db
def test_an_address_is_suppressed_once_and_the_first_words_stay() -> None:
    for words in ("first", "second"):
        suppression.enter("Ada@Bücher.example", reason=Reason.BOUNCED, words=words, message_key="", now=timezone.now())
    found = suppression.standing("ada@xn--bcher-kva.example")
    assert found is not None
    assert (Suppression.objects.count(), found.words) == (1, "first")


@pytest.mark.django_db
@pytest.mark.parametrize("half", [{"lifted_by": "root"}, {"lifted_why": "works"}, {"lifted_at": timezone.now()}])
def test_the_database_takes_no_half_lifted_row(half: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        Suppression.objects.create(address="a@b.de", reason=Reason.BOUNCED, words=GONE, **half)


@real
def test_a_second_try_of_a_mail_in_doubt_keeps_its_doubt_when_the_address_is_suppressed_meanwhile(
    message: Message, post_office: PostOffice
) -> None:
    began = timezone.now() - timedelta(days=1)
    Message.objects.update(state="sending", sending_since=began)
    suppression.enter(message.recipient, reason=Reason.BOUNCED, words=GONE, message_key="", now=timezone.now())
    job = run(message)
    assert (job.state, message.state, post_office.mails) == ("failed", "unknown", [])
