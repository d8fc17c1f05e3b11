"""A round: reminders that lost their reason are taken back, then those that are due are written, slice by slice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from notifications import services as notifications
from notifications import unsubscribe
from notifications.models import Message
from notifications.states import State
from payments.reminders import matters, policy
from payments.reminders.policy import EVENT, Due, Reason
from payments.reminders.writing import remind

SLICE = 100

UNWANTED = "its reader has unsubscribed from reminders"
ANSWERED = "what it was about is done, or waits for somebody else"
LATE = "its time is over"


class Slice[K: (int, str)](NamedTuple):
    """How far a round got: `last` is the key to go on after (None at the end), `changed` how many messages it touched.

    `looked_at` counts rows.
    """

    last: K | None
    looked_at: int
    changed: int


def wait_for_somebody(*, now: datetime) -> int:
    """How many rows a round looks at."""
    return sum(matters.near(reason, now=now).count() for reason in Reason)


def remind_next(reason: Reason, *, after: int, now: datetime) -> Slice[int]:
    """Write what is due of the rows that follow `after`; nothing is rendered that was written before."""
    rows: list[matters.Row] = list(matters.near(reason, now=now).filter(pk__gt=after).order_by("pk")[:SLICE])
    found = [(due, case) for case in matters.cases(reason, rows) if (due := policy.due(case.matter, now=now))]
    known = _known(due.key for due, _ in found)
    silent = unsubscribe.unsubscribed(due.user for due, _ in found)
    new = [(due, case) for due, case in found if due.key not in known and due.user not in silent]
    for due, case in new:
        remind(case.milestone, due, case)
    written = len(_known(due.key for due, _ in new))
    return Slice(rows[-1].pk if len(rows) == SLICE else None, len(rows), written)


def withdraw_next(*, after: str, now: datetime) -> Slice[str]:
    """Take back, of the reminders that wait and follow `after`, those whose reason is gone."""
    queued = Message.objects.filter(state=State.QUEUED, key__startswith=f"{EVENT}:", key__gt=after)
    waiting = list(queued.order_by("key")[:SLICE])
    why = _refusals({message.key for message in waiting}, now=now)
    taken = [notifications.withdraw(message, why=why[message.key]) for message in waiting if message.key in why]
    return Slice(waiting[-1].key if len(waiting) == SLICE else None, len(waiting), sum(taken))


def refusal(message: Message, now: datetime) -> str:
    """Why this reminder is no longer wanted; empty when it is. Asked right before it is handed over."""
    return _refusals({message.key}, now=now).get(message.key, "")


def _refusals(keys: set[str], *, now: datetime) -> dict[str, str]:
    """Of these reminders those that are no longer wanted, and why."""
    dues = {key: Due.read(key) for key in keys}
    silent = unsubscribe.unsubscribed(due.user for due in dues.values())
    stands = {
        (case.matter.reason, case.matter.row, case.matter.user): case.matter
        for reason in {due.reason for due in dues.values()}
        for case in matters.cases(reason, _rows(reason, dues.values()))
    }
    why: dict[str, str] = {}
    for key, due in dues.items():
        matter = stands.get((due.reason, due.row, due.user))
        if due.user in silent:
            why[key] = UNWANTED
        elif matter is None:
            why[key] = ANSWERED
        elif policy.is_past(matter, due.stage, now=now):
            why[key] = LATE
    return why


def _rows(reason: Reason, dues: Iterable[Due]) -> matters.Rows:
    return matters.standing(reason).filter(pk__in=[due.row for due in dues if due.reason is reason])


def _known(keys: Iterable[str]) -> set[str]:
    """Those of them that were written already."""
    return set(Message.objects.filter(key__in=list(keys)).values_list("key", flat=True))
