"""The mail catcher: real SMTP in, pages out."""

from __future__ import annotations

import json
import smtplib  # noqa: TID251 - a stranger that sends mail to the catcher
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from contralock.local.mailcatcher import MailCatcher
from contralock.local.ports import accepts, free_port
from contralock.local.waiting import wait_until


def mail(subject: str = "Welcome", html: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "ContraLock <noreply@contralock.example>"
    message["To"] = "anna@example.org"
    message["Subject"] = subject
    message["Message-ID"] = "<one@contralock.example>"
    message.set_content("Grüß dich\n.\nEnde\n")
    if html:
        message.add_alternative(html, subtype="html")
    return message


def send(port: int, message: EmailMessage, *also_to: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as smtp:
        smtp.send_message(message, to_addrs=["anna@example.org", *also_to])


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def get(url: str, method: str = "GET", **headers: str) -> Answer:
    """Raises HTTPError, closed, for anything but success."""
    request = urllib.request.Request(url, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as refused:
        refused.close()
        raise


def test_a_mail_sent_by_smtp_is_listed_as_json(catcher: MailCatcher) -> None:
    send(catcher.smtp_port, mail(), "bcc@example.org")
    (listed,) = json.loads(get(f"{catcher.url}/api/mails").body)
    assert listed["subject"] == "Welcome"
    assert listed["to"] == ["anna@example.org", "bcc@example.org"]
    assert listed["from"] == "ContraLock <noreply@contralock.example>"
    assert listed["message_id"] == "<one@contralock.example>"
    assert listed["text"].splitlines() == ["Grüß dich", ".", "Ende"]
    assert listed["size"] > 100
    assert listed["received_at"].endswith("+00:00")


def test_a_script_in_a_subject_is_shown_and_not_run(catcher: MailCatcher) -> None:
    send(catcher.smtp_port, mail("<script>alert(1)</script>", html="<script>alert(2)</script><b>hi</b>"))
    (caught,) = catcher.wait_for(1)
    for page in (f"{catcher.url}/", f"{catcher.url}/mails/{caught.id}"):
        answer = get(page)
        html = answer.body.decode()
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
        assert "<script" not in html
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_html_part_is_served_where_it_may_do_nothing(catcher: MailCatcher) -> None:
    send(catcher.smtp_port, mail(html='<img src="https://tracker.example/x.gif"><b>hi</b>'))
    (caught,) = catcher.wait_for(1)
    page = get(f"{catcher.url}/mails/{caught.id}").body.decode()
    assert f'<iframe sandbox src="/mails/{caught.id}.html"' in page
    policy = get(f"{catcher.url}/mails/{caught.id}.html").headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "img-src data:;" in policy


def test_the_source_is_downloaded_as_it_came(catcher: MailCatcher) -> None:
    send(catcher.smtp_port, mail())
    (caught,) = catcher.wait_for(1)
    answer = get(f"{catcher.url}/mails/{caught.id}.eml")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.body == caught.raw
    assert caught.raw.startswith(b"From: ")


def test_the_newest_mail_is_first_and_all_can_be_deleted(catcher: MailCatcher) -> None:
    for subject in ("first", "second", "third"):
        send(catcher.smtp_port, mail(subject))
    assert [one.subject for one in catcher.wait_for(3)] == ["third", "second", "first"]
    assert json.loads(get(f"{catcher.url}/api/mails", method="DELETE").body) == {"deleted": 3}
    assert catcher.mails() == []


@pytest.mark.parametrize("path", ["/mails/../../etc/passwd", "/mails/none", "/mails/20260101T000000000000-000001.eml"])
def test_what_is_not_there_is_not_found(catcher: MailCatcher, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{catcher.url}{path}")
    assert refused.value.code == 404


def test_a_page_under_another_name_may_not_read_the_mails(catcher: MailCatcher) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{catcher.url}/api/mails", Host="evil.example")
    assert refused.value.code == 403


def test_a_broken_mail_is_listed_all_the_same(catcher: MailCatcher) -> None:
    with smtplib.SMTP("127.0.0.1", catcher.smtp_port, timeout=5) as smtp:
        smtp.sendmail("a@example.org", ["b@example.org"], b"Content-Type: text/plain; charset=no-such\r\n\r\n\xff\xfe")
    assert get(f"{catcher.url}/").status == 200
    assert json.loads(get(f"{catcher.url}/api/mails").body)[0]["subject"] == ""


def test_as_a_process_it_keeps_its_mails_over_a_restart(tmp_path: Path) -> None:
    smtp_port, http_port = free_port(), free_port()
    program = [sys.executable, "-m", "contralock.local.mailcatcher", f"--dir={tmp_path}"]
    ports = [f"--smtp-port={smtp_port}", f"--http-port={http_port}"]
    for expected in (1, 2):
        with subprocess.Popen([*program, *ports], stdout=subprocess.DEVNULL) as process:
            wait_until(lambda: accepts(smtp_port) and accepts(http_port), limit=20, what="mail catcher")
            send(smtp_port, mail())
            assert len(json.loads(get(f"http://127.0.0.1:{http_port}/api/mails").body)) == expected
            process.terminate()
            assert process.wait(5) == 0
