"""Files that a mail carries."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from notifications import compose
from notifications.attachments import Attachment, AttachmentMissing, attach

CONTENT = b"%PDF-1.7 \x00\xff" * 100


@pytest.fixture
def stored(settings: Any, tmp_path: Path) -> Attachment:
    """A file in the storage."""
    settings.MEDIA_ROOT = str(tmp_path)
    (tmp_path / "a.pdf").write_bytes(CONTENT)
    digest = hashlib.sha256(CONTENT).hexdigest()
    return Attachment(name="Rechnung Köln.pdf", path="a.pdf", sha256=digest, media_type="application/pdf")


def mail() -> EmailMessage:
    """A mail without any."""
    return compose.build(
        rendered=compose.Rendered(language="de", subject="Hallo", text="Guten Tag\n", html="<p>Guten Tag</p>"),
        to="ada@example.com", name="Ada", message_id="<1@x.test>", written_at=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip


def test_a_file_comes_after_text_and_html_and_is_what_was_stored(stored: Attachment) -> None:
    written = mail()
    attach(written, [asdict(stored)])
    raw = written.as_bytes()
    assert max(len(line) for line in raw.splitlines()) <= 78
    read = message_from_bytes(raw, policy=default)
    assert [part.get_content_type() for part in read.walk()] == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf")
    ]  # fmt: skip
    (attached,) = read.iter_attachments()
    assert (attached.get_filename(), attached.get_payload(decode=True)) == ("Rechnung Köln.pdf", CONTENT)
    assert read["Content-Language"] == "de"


def test_a_mail_without_files_is_as_it_was() -> None:
    written = mail()
    attach(written, [])
    assert written.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"path": "b.pdf"}, "is not in the storage"), ({"sha256": "0" * 64}, "is not the file that was to be sent")],
)
def test_a_file_that_is_not_there_or_is_another_stops_the_mail(
    stored: Attachment, changes: dict[str, str], said: str
) -> None:
    with pytest.raises(AttachmentMissing, match=said):
        attach(mail(), [asdict(stored) | changes])
