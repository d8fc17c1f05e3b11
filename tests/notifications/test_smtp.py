"""The wall to the mail server, against a real one."""

from __future__ import annotations

from typing import Any

import pytest

from notifications import smtp
from notifications.smtp import connection
from tests.notifications.post_office import MAIL, PostOffice, deliver


def test_a_mail_arrives_whole_and_the_servers_answer_comes_back(post_office: PostOffice) -> None:
    assert deliver() == "250 2.0.0 queued as 4711"
    [envelope] = post_office.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == ("noreply@contralock.example", ["ada@example.com"])
    assert envelope.content == MAIL.as_bytes()


def test_many_mails_go_over_one_connection(post_office: PostOffice) -> None:
    for _ in range(3):
        deliver()
    assert post_office.heard.count("connect") == 1
    smtp.close()
    assert post_office.heard[-1] == "QUIT"


@pytest.mark.parametrize(("limit", "value"), [("IDLE", 0.0), ("AGE", 0.0), ("COUNT", 1)])
def test_a_connection_that_is_idle_old_or_used_up_is_left_politely(
    post_office: PostOffice, monkeypatch: pytest.MonkeyPatch, limit: str, value: float
) -> None:
    deliver()
    monkeypatch.setattr(connection, limit, value)
    deliver()
    assert post_office.heard.count("connect") == 2
    assert post_office.heard.count("QUIT") == 1


def test_before_data_is_called_after_the_recipient_was_taken_and_before_the_mail(post_office: PostOffice) -> None:
    seen: list[list[str]] = []
    deliver(lambda: seen.append(list(post_office.heard)))
    assert seen == [["connect", "MAIL", "RCPT"]]


def test_what_before_data_raises_comes_out_and_no_mail_is_sent(post_office: PostOffice) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(stop)
    deliver()
    assert len(post_office.mails) == 1
    assert post_office.heard.count("connect") == 2


@pytest.mark.parametrize("step", ["RCPT", "DATA", "mail"])
def test_a_permanent_refusal_is_final_quotes_the_server_and_keeps_the_connection(
    post_office: PostOffice, step: str
) -> None:
    post_office.will(step, "550 5.1.1 no such user")
    with pytest.raises(smtp.Rejected, match=r"550 5.1.1 no such user"):
        deliver()
    deliver()
    assert len(post_office.mails) == 1
    assert post_office.heard.count("connect") == 1


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "mail"])
def test_a_temporary_refusal_is_temporary(post_office: PostOffice, step: str) -> None:
    post_office.will(step, "451 4.7.1 greylisted")
    with pytest.raises(smtp.TemporaryFailure, match=r"451 4.7.1 greylisted"):
        deliver()
    assert post_office.mails == []
    deliver()
    assert post_office.heard.count("connect") == 1


@pytest.mark.parametrize(
    ("step", "answer"), [("MAIL", "550 5.7.1 who are you"), ("RCPT", "530 5.7.0 log in first"), ("DATA", "530 no")]
)
def test_a_refusal_that_is_about_us_is_temporary(post_office: PostOffice, step: str, answer: str) -> None:
    post_office.will(step, answer)
    with pytest.raises(smtp.TemporaryFailure, match=answer):
        deliver()


def test_a_mail_that_is_too_large_is_rejected_at_once(post_office: PostOffice) -> None:
    post_office.will("MAIL", "552 5.3.4 too large")
    with pytest.raises(smtp.Rejected, match="too large"):
        deliver()


def test_a_kept_connection_that_the_server_dropped_is_replaced_unnoticed(post_office: PostOffice) -> None:
    deliver()
    post_office.hang_up_on_everybody()
    assert deliver().startswith("250")
    assert len(post_office.mails) == 2


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", ["hang up", "421 4.3.2 shutting down"])
def test_a_hang_up_before_the_mail_on_a_kept_connection_is_tried_once_more(
    post_office: PostOffice, step: str, answer: str
) -> None:
    deliver()
    post_office.will(step, answer)
    assert deliver().startswith("250")
    assert len(post_office.mails) == 2
    assert post_office.heard.count("connect") == 2


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", ["hang up", "421 4.3.2 shutting down"])
def test_a_hang_up_before_the_mail_on_a_fresh_connection_is_temporary(
    post_office: PostOffice, step: str, answer: str
) -> None:
    post_office.will(step, answer)
    with pytest.raises(smtp.TemporaryFailure):
        deliver()
    assert post_office.heard.count("connect") == 1


def test_a_421_to_the_mail_itself_means_that_it_was_not_taken(post_office: PostOffice) -> None:
    deliver()
    post_office.will("mail", "421 4.3.2 shutting down")
    assert deliver().startswith("250")
    assert len(post_office.mails) == 2


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("answer", ["hang up", "silence"])
def test_no_answer_to_the_mail_leaves_doubt_and_is_not_repeated(
    post_office: PostOffice, settings: Any, kept: bool, answer: str
) -> None:
    settings.EMAIL_TIMEOUT = 0.4
    if kept:
        deliver()
    before = len(post_office.mails)
    post_office.will("mail", answer)
    with pytest.raises(smtp.DeliveryUnknown):
        deliver()
    assert len(post_office.mails) == before + 1  # the server had it
    assert deliver().startswith("250")


def test_an_answer_without_sense_to_the_mail_leaves_doubt(post_office: PostOffice) -> None:
    post_office.will("mail", "what?")
    with pytest.raises(smtp.DeliveryUnknown):
        deliver()


def test_a_server_that_is_not_there_is_temporary(post_office: PostOffice, settings: Any) -> None:
    settings.EMAIL_PORT = 1
    with pytest.raises(smtp.TemporaryFailure, match="refused"):
        deliver()


def test_a_host_that_does_not_exist_is_temporary(post_office: PostOffice, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.invalid"
    with pytest.raises(smtp.TemporaryFailure, match=r"mail\.invalid"):
        deliver()
