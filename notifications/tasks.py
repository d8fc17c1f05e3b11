"""Sending a stored message: the email queue's job."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.template import TemplateSyntaxError
from django.utils import timezone

from jobs import JobContext, OutcomeUnknown, PermanentError, Skipped, Snooze, current_job, job
from notifications import attachments, compose, lifecycle, limits, sealed, smtp, suppression, wanted
from notifications.models import Message
from notifications.states import IN_DOUBT, Reason, State

RESENDS = 1
"""How often a mail in doubt is sent again by itself. After that a person decides, by retrying the job."""

DIED = "A worker died while it sent the mail."

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
    Nothing is sent to a suppressed address; what is over its recipient's limit waits.
    """
    run = current_job()
    message = Message.objects.filter(pk=message_id).first()
    if message is None:
        raise Skipped("the message is no more")
    now = timezone.now()
    _refuse_twice(message, now=now)
    _refuse_suppressed(message)
    _refuse_unwanted(message)
    _hold_back(message, now=now)
    resends = message.resends + (message.state in IN_DOUBT)
    try:
        reply = smtp.deliver(mail=_write(message), before_data=lambda: _commit_to_doubt(message, run, resends))
    except smtp.Rejected as refusal:
        _give_up(message, refusal)
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
    if message.state == State.WITHDRAWN:
        raise Skipped(f"it was withdrawn: {message.error}")
    if message.state not in IN_DOUBT or message.sending_since is None:
        return
    wait = (message.sending_since + timedelta(seconds=settings.MAIL_RESEND_AFTER) - now).total_seconds()
    if message.state == State.SENDING and message.resends >= RESENDS:
        raise _in_doubt(message, f"{DIED[:-1]} for the second time.", wait=wait)
    if wait > 0:
        raise _in_doubt(message, message.error or DIED, wait=wait)
    if message.state == State.SENDING:  # from here on a failure of this try must not look like one of the first
        lifecycle.doubt(message, error=DIED)


def _refuse_suppressed(message: Message) -> None:
    """Fail, without a word to the mail server, what goes to an address that takes no mail."""
    if found := suppression.standing(message.recipient):
        said = suppression.refusal(found)
        lifecycle.fail(message, error=said)
        raise PermanentError(said)


def _hold_back(message: Message, *, now: datetime) -> None:
    """Come back later, at no cost, when the recipient has had as many mails as may be."""
    if message.state in IN_DOUBT:  # the server may have it: it was counted when it was first tried
        return
    if (wait := limits.wait(message, now=now)) > 0:
        said = f"Held back: the recipient has had {settings.MAIL_PER_RECIPIENT} mails in the last hour."
        lifecycle.put_back(message, error=said)
        raise Snooze(wait, said)


def _give_up(message: Message, refusal: smtp.Rejected) -> None:
    """The server said never; of the recipient, and then no other mail is tried there."""
    with transaction.atomic():
        lifecycle.fail(message, error=str(refusal))
        if refusal.hard_bounce:
            suppression.enter(
                message.recipient,
                reason=Reason.REFUSED if isinstance(refusal, smtp.RecipientRefused) else Reason.BOUNCED,
                words=str(refusal),
                message_key=message.key,
                now=timezone.now(),
            )


def _in_doubt(message: Message, said: str, *, wait: float) -> OutcomeUnknown:
    """Write the doubt down; what to raise: again in `wait` seconds while that is allowed, else a person decides."""
    lifecycle.doubt(message, error=said)
    return OutcomeUnknown(said, resend_after=wait if message.resends < RESENDS else None)


def _commit_to_doubt(message: Message, run: JobContext, resends: int) -> None:
    """Right before the mail is handed over: write `sending`, then make sure that the job is still ours."""
    _refuse_unwanted(message)
    if not lifecycle.begin(message, resends=resends, now=timezone.now()):
        raise MovedMeanwhile(f"message {message.key} was changed by another run")
    try:
        run.checkpoint()
    except BaseException as stop:  # nothing was handed over
        lifecycle.put_back(message, error=str(stop))
        raise


def _refuse_unwanted(message: Message) -> None:
    """Withdraw what is no longer wanted. What a server may have from an earlier try stays in doubt, and is not sent."""
    if not (why := wanted.refusal(message, now=timezone.now())):
        return
    if message.state in IN_DOUBT:
        lifecycle.doubt(message, error=f"Not sent again: {why}")
        raise Skipped(f"not sent again: {why}")
    lifecycle.withdraw(message, why=why)
    raise Skipped(f"withdrawn: {why}")


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
            unsubscribe_url=context.get("unsubscribe_url", ""),
        )
        attachments.attach(mail, message.attachments)
        return mail
    except ValueError as error:
        raise smtp.Rejected(f"No mail can be written: {error}") from error
