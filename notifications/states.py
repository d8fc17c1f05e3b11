"""The states of a message (pure).

    queued ──▶ sending ──▶ sent
      ▲  │        ├──▶ unknown ──▶ sending      the server got it, or not; sent again at most once by itself
      │  ▼        ▼
      └─ failed ◀─┘                             a person may retry the job

    queued, failed ──▶ withdrawn                what it was about is over (notifications/wanted.py)

`sending` is written before the mail server is given the mail, and taken back when it says no. A
row found in it was left by a worker that died, and is in doubt like `unknown`.
"""

from __future__ import annotations

from django.db import models


class State(models.TextChoices):
    """Where a message is."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"


IN_DOUBT = (State.SENDING, State.UNKNOWN)


class Reason(models.TextChoices):
    """Why an address is suppressed."""

    BOUNCED = "bounced", "the server does not have it"
    COMPLAINED = "complained", "its owner called a mail spam"
    REFUSED = "refused", "the mail service refuses it"
