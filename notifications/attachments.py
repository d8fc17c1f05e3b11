"""Files that a mail carries: named by their place in Django's storage when it is written, read when it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from django.core.files.storage import default_storage


class AttachmentMissing(LookupError):
    """The file is not in the storage, or is not the one that was meant: the mail waits for it."""


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """`path` is the file's name in the default storage, `name` what the reader sees, `sha256` (hex) its content's."""

    name: str
    path: str
    sha256: str
    media_type: str


def attach(mail: EmailMessage, stored: Sequence[dict[str, Any]]) -> None:
    """Add what a message's row names. Raises AttachmentMissing."""
    if not stored:
        return
    language = mail["Content-Language"]
    for attachment in (Attachment(**facts) for facts in stored):
        maintype, _, subtype = attachment.media_type.partition("/")
        mail.add_attachment(_content(attachment), maintype=maintype, subtype=subtype, filename=attachment.name)
    del mail["Content-Language"]  # the first attachment has moved it inwards
    mail["Content-Language"] = language


def _content(attachment: Attachment) -> bytes:
    try:
        with default_storage.open(attachment.path) as file:
            content = bytes(file.read())
    except FileNotFoundError:
        raise AttachmentMissing(f"{attachment.path} is not in the storage.") from None
    if hashlib.sha256(content).hexdigest() != attachment.sha256:
        raise AttachmentMissing(f"{attachment.path} is not the file that was to be sent.")
    return content
