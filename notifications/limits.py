"""How many mails one person gets in an hour: a loop, or somebody who means ill, must not flood an inbox."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from notifications.models import Message
from notifications.states import State

PERIOD = timedelta(hours=1)

SECURITY = frozenset(
    {
        "welcome",  # its button confirms the address
        "verify_email",
        "password_reset",
        "password_changed",
        "email_change",
        "email_change_requested",
        "email_changed",
    }
)
"""Somebody waits for them at the screen, or must object now. What asks for them has limits of its own."""

MONEY = frozenset(
    {
        "payment_confirmation",
        "payment_released",
        "payment_refunded",
        "refund_failed",
        "withdrawal_sent",
        "withdrawal_returned",
        "invoice",
    }
)
"""Money has moved. Else whoever took an account over could fill the hour first, so that its owner hears too late."""

AT_ONCE = SECURITY | MONEY
"""Templates whose mails never wait for the limit, nor count towards it. All others can be caused by the other side
of a project as often as it likes."""


def wait(message: Message, *, now: datetime) -> float:
    """Seconds until the message may be sent; 0 when it may be now.

    Counted is what the mail server took in the last hour, so that workers who send to one person at the same moment may
    be over it by as many mails as they are.
    """
    most = settings.MAIL_PER_RECIPIENT
    if message.template in AT_ONCE or most < 1:
        return 0.0
    had = Message.objects.filter(recipient=message.recipient, state=State.SENT, sent_at__gt=now - PERIOD)
    newest = had.exclude(template__in=AT_ONCE).order_by("-sent_at").values_list("sent_at", flat=True)
    frees = newest[most - 1 : most].first()  # with the last of `most` an hour old, there is room for one
    return max(0.0, (frees + PERIOD - now).total_seconds()) if frees else 0.0
