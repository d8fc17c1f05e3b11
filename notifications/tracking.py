"""What a mail service tells later about a mail it took: a bounce or a complaint suppresses the address.

django-anymail turns each service's webhook into its signal `tracking`.
"""

from __future__ import annotations

import logging
from typing import Any

from django.utils import timezone

from notifications import suppression
from notifications.models import Message
from notifications.smtp import answers
from notifications.states import Reason

logger = logging.getLogger("notifications.tracking")

GONE = frozenset({"bounced", "invalid"})
"""Anymail's reject reasons that are about the address; the others (blocked, timed out …) pass, or are about us."""


def on_event(sender: Any, event: Any, esp_name: str, **_signal: Any) -> None:
    """Suppress the address that the event is about, if it says that no mail should go there again."""
    reason = _reason(event)
    if reason is None or not event.recipient:
        return
    said = answers.one_line(event.mta_response or event.description or event.event_type)
    try:
        suppression.enter(
            event.recipient,
            reason=reason,
            words=f"{esp_name}: {said}"[:2000],
            message_key=_message_key(event),
            now=timezone.now(),
        )
    except ValueError:
        logger.warning("%s tells of an address that cannot exist", esp_name)  # nobody's address goes into a log


def _reason(event: Any) -> Reason | None:
    if event.event_type == "complained":
        return Reason.COMPLAINED
    if event.event_type == "rejected" and event.reject_reason in GONE | {"spam"}:
        return Reason.REFUSED
    if event.event_type == "bounced" and event.reject_reason in GONE:
        found = answers.ENHANCED.search(event.mta_response or "")
        return Reason.BOUNCED if found is None or answers.of_the_recipient(found.group()) else None
    return None


def _message_key(event: Any) -> str:
    """Our key of the mail, by the service's id of it, which is the end of what it answered."""
    if not event.message_id:
        return ""
    mine = Message.objects.filter(recipient=event.recipient, server_reply__endswith=f" {event.message_id}")
    return mine.values_list("key", flat=True).first() or ""
