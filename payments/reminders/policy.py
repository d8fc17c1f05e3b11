"""When somebody is reminded (pure: no database, no clock).

A stage is a number of days after something began. It is due from 9:00 of that day where the reader lives, and no more
than three days later: a reminder that comes late is about something else by then, and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from payments.zones import zone


class Reason(StrEnum):
    """Why somebody is reminded."""

    UNFUNDED = "unfunded"  # the client has not paid for a milestone
    UNAPPROVED = "unapproved"  # the client has not said what they think of the work
    DISPUTE = "dispute"  # the other party objects, and has the reader's side to wait for
    HELD = "held"  # money is held, and may not be for much longer


STAGES: dict[Reason, tuple[int, ...]] = {
    Reason.UNFUNDED: (3, 7, 14),
    Reason.UNAPPROVED: (3, 7, 12),
    Reason.DISPUTE: (2, 5),
    Reason.HELD: (75, 80, 85),
}
"""Days after the milestone was made, delivered, disputed or funded; ascending."""

HOLDING = timedelta(days=90)
"""How long money may be held. Stripe's limit (design/payments.md, connect/manual-payouts)."""

HOUR = time(9)
LATEST = timedelta(days=3)
"""How long after its hour a stage may still begin its way."""

EVENT = "reminder"


@dataclass(frozen=True, kw_only=True)
class Matter:
    """Something that waits for a person: `row` is a dispute's or else a milestone's, `since` (aware) when it began."""

    reason: Reason
    row: int
    since: datetime
    user: int
    time_zone: str

    def starts(self, stage: int) -> datetime:
        """From when a stage is due, in UTC."""
        local = zone(self.time_zone)
        day = self.since.astimezone(local).date() + timedelta(days=stage)
        return datetime.combine(day, HOUR, tzinfo=local).astimezone(UTC)


@dataclass(frozen=True)
class Due:
    """One reminder: sent once, whatever happens."""

    reason: Reason
    row: int
    stage: int
    user: int

    @property
    def event(self) -> str:
        """What it is about, without its reader."""
        return f"{EVENT}:{self.reason}:{self.row}:{self.stage}"

    @property
    def key(self) -> str:
        """The key of its message."""
        return f"{self.event}:{self.user}"

    @classmethod
    def read(cls, key: str) -> Due:
        """What a key says. Raises ValueError for one that is no reminder's."""
        event, reason, row, stage, user = key.split(":")
        if event != EVENT:
            raise ValueError(f"{key} is no reminder.")
        return cls(Reason(reason), int(row), int(stage), int(user))


def due(matter: Matter, *, now: datetime) -> Due | None:
    """The reminder whose time it is; of several the latest only."""
    started = [stage for stage in STAGES[matter.reason] if matter.starts(stage) <= now]
    if not started or is_past(matter, started[-1], now=now):
        return None
    return Due(matter.reason, matter.row, started[-1], matter.user)


def is_past(matter: Matter, stage: int, *, now: datetime) -> bool:
    """Whether a reminder comes too late: its days are over, or the next one's have begun."""
    later = (other for other in STAGES[matter.reason] if other > stage)
    return now > matter.starts(stage) + LATEST or any(matter.starts(other) <= now for other in later)


def spans(reason: Reason, *, now: datetime) -> list[tuple[datetime, datetime]]:
    """Between which moments a matter began of which a stage may be due now, in any time zone; a little wide."""
    day = timedelta(days=1)
    return [(now - (stage + 2) * day - LATEST, now - (stage - 2) * day) for stage in STAGES[reason]]
