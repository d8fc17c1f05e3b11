"""How many mails one person gets in an hour, and which never wait."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from jobs import fold
from jobs.kinds import kind_of
from jobs.models import Attempt, Job
from notifications import limits, services
from notifications.models import Message
from tests.notifications.post_office import PostOffice
from tests.notifications.running import delay
from tests.notifications.test_mails import CONTEXTS

NOW = timezone.now()
CAN_WAIT = {"milestone_notification", "dispute_notification", "reminder"}


def ask(number: int, template: str = "milestone_notification", to: str = "ada@example.com") -> Message:
    return services.send(
        key=f"{template}:{to}:{number}",
        template=template,
        to=to,
        name="Ada",
        language="en",
        context={"first_name": "Ada"} | CONTEXTS[template],
    )


def had(number: int, *, minutes: float, template: str = "milestone_notification", to: str = "ada@example.com") -> None:
    """So many were sent so long ago."""
    for each in range(number):
        message = services.write(
            key=f"{template}:{to}:{minutes}:{each}", template=template, to=to, name="", language="en",
            context={"first_name": "Ada"} | CONTEXTS[template],
        )  # fmt: skip
        message.state, message.sent_at = "sent", NOW - timedelta(minutes=minutes)
        message.save()


@pytest.mark.django_db
def test_who_has_had_as_many_as_may_be_waits_until_the_oldest_of_them_is_an_hour_old(settings: Any) -> None:
    settings.MAIL_PER_RECIPIENT = 3
    had(2, minutes=50)
    message = ask(1)
    assert limits.wait(message, now=NOW) == 0
    had(1, minutes=5)
    assert limits.wait(message, now=NOW) == pytest.approx(600)
    assert limits.wait(message, now=NOW + timedelta(minutes=10)) == 0
    had(4, minutes=20)
    assert limits.wait(message, now=NOW) == pytest.approx(2400), "the third newest frees the place"


@pytest.mark.django_db
def test_others_older_ones_and_those_that_never_wait_do_not_count(settings: Any) -> None:
    settings.MAIL_PER_RECIPIENT = 1
    had(3, minutes=5, to="bob@example.com")
    had(3, minutes=61)
    had(3, minutes=5, template="payment_released")
    assert limits.wait(ask(1), now=NOW) == 0


@pytest.mark.django_db
def test_security_and_money_never_wait_and_no_limit_is_none(settings: Any) -> None:
    settings.MAIL_PER_RECIPIENT = 1
    had(5, minutes=5)
    assert limits.wait(ask(1), now=NOW) > 0
    assert limits.wait(ask(1, "password_reset"), now=NOW) == 0
    assert limits.wait(ask(1, "withdrawal_returned"), now=NOW) == 0
    settings.MAIL_PER_RECIPIENT = 0
    assert limits.wait(ask(1), now=NOW) == 0


def test_of_every_mail_it_is_decided_whether_it_can_wait() -> None:
    folder = Path(services.__file__).parent / "templates/notifications/en"
    there = {path.name.removesuffix(".subject.txt") for path in folder.glob("*.subject.txt")}
    assert there >= limits.AT_ONCE
    assert there - limits.AT_ONCE <= CAN_WAIT


@pytest.mark.django_db(transaction=True)
def test_in_one_batch_some_are_sent_and_the_rest_waits_at_no_cost(
    post_office: PostOffice, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAIL_PER_RECIPIENT = 2
    monkeypatch.setattr(fold.pace, "size", lambda kind: kind.batch)
    messages = [ask(number) for number in range(5)] + [ask(9, to="bob@example.com")]
    assert messages[0].job_id is not None
    fold.run_fold(kind_of("notifications.send_message"), messages[0].job_id)
    assert [mail.rcpt_tos for mail in post_office.mails] == [["ada@example.com"]] * 2 + [["bob@example.com"]]
    waiting = Job.objects.filter(state="delayed")
    assert [(job.failures, job.crashes) for job in waiting] == [(0, 0)] * 3
    assert [delay(job) for job in waiting] == pytest.approx([3600] * 3, abs=60)
    assert Attempt.objects.filter(outcome="snoozed").count() == 3
    assert {m.error for m in Message.objects.filter(state="queued")} == {
        "Held back: the recipient has had 2 mails in the last hour."
    }
    assert post_office.heard.count("connect") == 1
