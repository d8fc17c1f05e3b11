"""Addresses that take no mail: entered when a server says so for good, lifted by a person with a reason.

Who goes on writing to addresses that do not exist is soon taken for a sender of spam, and then nobody gets mail.
"""

from __future__ import annotations

from datetime import datetime

from notifications.compose import ascii_domain
from notifications.models import Suppression
from notifications.states import Reason


class CannotLift(ValueError):
    """Nothing was lifted; the text says why."""


def normal(address: str) -> str:
    """`address` as it is compared: mail servers that tell Ada@ from ada@ have died out."""
    return ascii_domain(address.strip()).casefold()


def enter(address: str, *, reason: Reason, words: str, message_key: str, now: datetime) -> None:
    """Suppress `address` from now on; what stands already stays as it is."""
    row = Suppression(address=normal(address), reason=reason, words=words, message_key=message_key, since=now)
    # bulk_create: the one way to "on conflict do nothing", which leaves the caller's transaction whole.
    Suppression.objects.bulk_create([row], ignore_conflicts=True)


def standing(address: str) -> Suppression | None:
    """What stands against mails to this address now."""
    return Suppression.objects.filter(address=normal(address), lifted_at=None).first()


def lift(pk: int, *, by: str, why: str, now: datetime) -> Suppression:
    """Let mails go to the address again; those that failed meanwhile are sent when their jobs are retried.

    Raises CannotLift without a reason, or when it was lifted already.
    """
    if not why.strip():
        raise CannotLift("Say why: others will ask.")
    mine = Suppression.objects.filter(pk=pk, lifted_at=None)
    if not mine.update(lifted_at=now, lifted_by=by, lifted_why=why.strip()):
        raise CannotLift("It was lifted already, or is no more.")
    return Suppression.objects.get(pk=pk)


def refusal(found: Suppression) -> str:
    """What a message says that was not sent because of it, and its job's line in the log: without the address."""
    return (
        f"Not sent: the address is suppressed since {found.since:%Y-%m-%d %H:%M} UTC, because "
        f"{Reason(found.reason).label} ({found.words}). Lift the suppression, then retry this job."
    )
