"""Sending a stored message: the email queue's job."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from uuid import UUID

from django.conf import settings
from django.template import TemplateSyntaxError
from django.utils import timezone

from jobs import JobContext, OutcomeUnknown, PermanentError, Skipped, current_job, job
from notifications import attachments, compose, lifecycle, sealed, smtp
from notifications.models import Message
from notifications.states import IN_DOUBT, State

RESENDS = 1
"""How often a mail in doubt is sent again by itself. After that a person decides, by retrying the job."""

NOT_NOW = (
    *(smtp.TemporaryFailure, attachments.AttachmentMissing),
    *(compose.UnknownTemplate, compose.MissingVariable, TemplateSyntaxError),
)


class MovedMeanwhile(Exception):
    """Another run changed the message while this one was about to send it."""


def _describe(*, message_id: UUID) -> str:
    key = Message.objects.filter(pk=message_id).values_list("key", flat=True).first()
    return f"Send mail {key or message_id}"


# Five attempts span five minutes (20 + 40 + 80 + 160 s by default): a restart of the mail server and the
# usual greylisting delay are outlasted; the engine's own 2 s would give up after half a minute.
@job(
    queue="email",
    max_attempts=5,
    backoff=10 * settings.JOBS_BACKOFF,
    batch=20,
    subject=lambda *, message_id: f"message:{message_id}",
    describe=_describe,
)
def send_message(*, message_id: UUID) -> dict[str, str]:
    """Send one stored message.

    Safe to run twice: a sent message is skipped, and one that a mail server may have is sent again
    once, MAIL_RESEND_AFTER seconds later and with the same Message-ID, then no more by itself.
    """
    run = current_job()
    message = Message.objects.filter(pk=message_id).first()
    if message is None:
        raise Skipped("the message is no more")
    _refuse_twice(message, now=timezone.now())
    resends = message.resends + (message.state in IN_DOUBT)
    try:
        reply = smtp.deliver(mail=_write(message), before_data=lambda: _commit_to_doubt(message, run, resends))
    except smtp.Rejected as refusal:
        lifecycle.fail(message, error=str(refusal))
        raise PermanentError(str(refusal)) from refusal
    except smtp.DeliveryUnknown as silence:
        raise _in_doubt(message, str(silence), wait=settings.MAIL_RESEND_AFTER) from silence
    except NOT_NOW as failure:
        (lifecycle.fail if run.last_attempt else lifecycle.put_back)(message, error=str(failure))
        raise
    lifecycle.sent(message, reply=reply, now=timezone.now())
    return {"message_id": message.message_id, "server": reply}


def _refuse_twice(message: Message, *, now: datetime) -> None:
    """Raise unless the message may be handed to a mail server now."""
    if message.state == State.SENT:
        raise Skipped("it was sent already")
    if message.state not in IN_DOUBT or message.sending_since is None:
        return
    wait = (message.sending_since + timedelta(seconds=settings.MAIL_RESEND_AFTER) - now).total_seconds()
    if message.state == State.SENDING and message.resends >= RESENDS:
        raise _in_doubt(message, "A worker died while it sent the mail for the second time.", wait=wait)
    if wait > 0:
        said = message.error or "A worker died while it sent the mail."
        raise _in_doubt(message, said, wait=wait)


def _in_doubt(message: Message, said: str, *, wait: float) -> OutcomeUnknown:
    """Write the doubt down; what to raise: again in `wait` seconds while that is allowed, else a person decides."""
    lifecycle.doubt(message, error=said)
    return OutcomeUnknown(said, resend_after=wait if message.resends < RESENDS else None)


def _commit_to_doubt(message: Message, run: JobContext, resends: int) -> None:
    """Right before the mail is handed over: write `sending`, then make sure that the job is still ours."""
    if not lifecycle.begin(message, resends=resends, now=timezone.now()):
        raise MovedMeanwhile(f"message {message.key} was changed by another run")
    try:
        run.checkpoint()
    except BaseException as stop:  # nothing was handed over
        lifecycle.put_back(message, error=str(stop))
        raise


def _write(message: Message) -> EmailMessage:
    """The mail of this row; the subject as it was written down. Raises Rejected for what no mail can hold."""
    try:
        context = message.context | sealed.unseal(message.sealed)
        rendered = compose.render(template=message.template, language=message.language, context=context)
        mail = compose.build(
            rendered=replace(rendered, subject=message.subject),
            to=message.recipient,
            name=message.recipient_name,
            message_id=message.message_id,
            written_at=message.created_at,
        )
        attachments.attach(mail, message.attachments)
        return mail
    except ValueError as error:
        raise smtp.Rejected(f"No mail can be written: {error}") from error
