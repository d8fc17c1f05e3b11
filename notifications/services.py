"""Sending mail, for whoever wants to: a row and a job, in the caller's transaction."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from jobs import CannotMove, control
from notifications import compose, lifecycle, sealed
from notifications.attachments import Attachment
from notifications.models import Message
from notifications.tasks import send_message

NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""As JSON writes it; with a second backslash before it is just those six characters."""


class InvalidMessage(ValueError):
    """A message that could never be sent as it was asked for; nothing was written."""


class InvalidAddress(InvalidMessage):
    """Nothing can be sent to this address."""


def send(
    *,
    key: str,
    template: str,
    to: str,
    name: str,
    language: str,
    context: Mapping[str, Any],
    secrets: Mapping[str, str] | None = None,
    attachments: Sequence[Attachment] = (),
) -> Message:
    """Have one mail sent once; returns its row, which the job fills in later.

    `key` says what the mail is about (`welcome:42`): a second call with it returns the first row and
    sends nothing. `context` is stored as it is, so it holds JSON and no more than the mail needs. `secrets`
    are further variables, such as a link that sets a password: stored sealed, shown to nobody, and only
    until the mail is sent; none belongs into a subject. `attachments` are files in the storage.
    Row and job are written in the caller's transaction, or in one of their own.

    Raises compose.UnknownTemplate, compose.MissingVariable, InvalidAddress and InvalidMessage, all before
    anything is written.
    """
    message = write(
        key=key, template=template, to=to, name=name, language=language, context=context, secrets=secrets,
        attachments=attachments,
    )  # fmt: skip
    return post([message])[0]


def write(
    *,
    key: str,
    template: str,
    to: str,
    name: str,
    language: str,
    context: Mapping[str, Any],
    secrets: Mapping[str, str] | None = None,
    attachments: Sequence[Attachment] = (),
) -> Message:
    """A mail that is checked and can be posted; nothing is stored. Takes and raises what `send` does."""
    secrets = secrets or {}
    context = dict(context) | dict.fromkeys(secrets, sealed.MASK)
    _check(key, to, context)
    rendered = compose.render(template=template, language=language, context=context)
    message = Message(
        key=key, template=template, language=language, recipient=to, recipient_name=compose.one_line(name)[:200],
        context=context, sealed=sealed.seal(secrets), subject=rendered.subject[:500],
        attachments=[asdict(attachment) for attachment in attachments],
    )  # fmt: skip
    message.message_id = f"<{message.pk}@{compose.sender_domain()}>"
    return message


def post(messages: Sequence[Message]) -> list[Message]:
    """Store what `write` wrote, in one go, and have each sent once; for a key that is there already, its row.

    Also when another transaction is writing that key just now. Keys in `messages` differ from each other.
    """
    with transaction.atomic(savepoint=False):
        Message.objects.bulk_create(messages, ignore_conflicts=True)
        kept = {found.key: found for found in Message.objects.filter(key__in=[message.key for message in messages])}
        new = [message for message in messages if kept[message.key].pk == message.pk]
        for message in new:
            message.job_id = send_message.apply_async(kwargs={"message_id": message.pk}, subject=message.key).id
        Message.objects.bulk_update(new, ["job_id"])
    return [message if message in new else kept[message.key] for message in messages]


def withdraw(message: Message, *, why: str) -> bool:
    """Do not send `message` after all, and cancel its job; False when it was sent, given to a server or withdrawn."""
    with transaction.atomic():
        if not lifecycle.withdraw(message, why=why):
            return False
        if message.job_id is not None:
            with suppress(CannotMove):  # it has ended, or is being run and will find the message withdrawn
                control.cancel(message.job_id, reason=f"the mail was withdrawn: {why}", by="notifications")
    return True


def _check(key: str, to: str, context: Mapping[str, Any]) -> None:
    if not key or len(key) > 200:
        raise InvalidMessage(f"A key has 1 to 200 characters, got {len(key)}.")
    try:
        validate_email(to)
        compose.ascii_domain(to)
    except (ValidationError, ValueError):
        # An address with other letters before the @ needs SMTPUTF8 on every server of the way.
        raise InvalidAddress(f"No mail can be sent to {to!r}.") from None
    try:
        stored = json.dumps(dict(context), allow_nan=False, ensure_ascii=False)
        stored.encode()
    except (TypeError, ValueError) as error:
        raise InvalidMessage(f"The context is not JSON: {error}. Pass strings, such as a formatted amount.") from None
    if NUL.search(stored) or "\0" in key:
        raise InvalidMessage("PostgreSQL cannot store a NUL character.")
