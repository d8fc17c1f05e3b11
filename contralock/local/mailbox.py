"""Caught mails: one .eml file each, named so that the names sort by time."""

from __future__ import annotations

import email
import email.policy
import itertools
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

ENVELOPE = "X-Envelope-To: "
NAME = re.compile(r"\d{8}T\d{12}-\d{6}")


@dataclass(frozen=True)
class CaughtMail:
    """One mail as it came over the wire. Recipients are the envelope's, so Bcc is among them."""

    id: str
    received_at: datetime
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The parsed mail; broken ones parse too, with defects."""
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def subject(self) -> str:
        return self.header("Subject")

    @property
    def text(self) -> str:
        """The plain text part; empty when there is none."""
        return self.part("plain")

    @property
    def html(self) -> str:
        """The HTML part; empty when there is none."""
        return self.part("html")

    def header(self, name: str) -> str:
        """The decoded header; empty when missing or not decodable."""
        try:
            return str(self.message.get(name, "")).strip()
        except (ValueError, IndexError, AttributeError):  # what email.policy raises on crafted headers
            return ""

    def part(self, subtype: str) -> str:
        """The body of `text/<subtype>`, decoded; wrong bytes are replaced, an unknown charset is read as UTF-8."""
        body = self.message.get_body((subtype,))
        if body is None:
            return ""
        try:
            return str(body.get_content())
        except (LookupError, ValueError, KeyError):
            return bytes(body.get_payload(decode=True) or b"").decode(errors="replace")

    def summary(self) -> dict[str, object]:
        """What /api/mails tells. `size` in bytes, `received_at` ISO 8601 in UTC."""
        return {
            "id": self.id,
            "from": self.header("From"),
            "to": list(self.recipients),
            "subject": self.subject,
            "message_id": self.header("Message-ID"),
            "received_at": self.received_at.isoformat(),
            "text": self.text,
            "size": len(self.raw),
        }


class Mailbox:
    """The mails of one folder. Files are complete when they appear, so several readers may look."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self._number = itertools.count(1)

    def add(self, raw: bytes, recipients: list[str]) -> str:
        """Store one mail, flushed to disk, and return its id: an SMTP 250 is a promise."""
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%S%f}-{next(self._number):06d}"
        known = ", ".join(one for one in recipients if one.isprintable())
        arriving = self.folder / f"{name}.arriving"
        with arriving.open("wb") as file:
            file.write(f"{ENVELOPE}{known}\r\n".encode() + raw)
            file.flush()
            os.fsync(file.fileno())
        arriving.rename(self.folder / f"{name}.eml")
        return name

    def get(self, name: str) -> CaughtMail | None:
        """The mail of that id; None for one that is not here, or is no id at all."""
        if not NAME.fullmatch(name):
            return None
        try:
            stored = (self.folder / f"{name}.eml").read_bytes()
        except FileNotFoundError:
            return None
        recipients, raw = _part_envelope(stored)
        received = datetime.strptime(name.split("-", 1)[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        return CaughtMail(name, received, recipients, raw)

    def all(self, limit: int | None = None) -> list[CaughtMail]:
        """Mails, newest first."""
        names = sorted((path.stem for path in self.folder.glob("*.eml")), reverse=True)[:limit]
        return [mail for name in names if (mail := self.get(name)) is not None]

    def count(self) -> int:
        """How many mails are here."""
        return sum(1 for _ in self.folder.glob("*.eml"))

    def clear(self) -> int:
        """Remove all mails and return how many there were."""
        paths = list(self.folder.glob("*.eml"))
        for path in paths:
            path.unlink(missing_ok=True)
        return len(paths)


def _part_envelope(stored: bytes) -> tuple[tuple[str, ...], bytes]:
    """Our own first line, and what came over the wire."""
    line, raw = stored.split(b"\r\n", 1)
    known = line.decode(errors="replace").removeprefix(ENVELOPE)
    return tuple(one for one in known.split(", ") if one), raw
