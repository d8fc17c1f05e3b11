"""Every way a milestone may change. Callers hold its lock (locks.milestone); each change says whether it won."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from payments.models import Milestone
from payments.states import MILESTONE_MOVES, MilestoneStatus


def standing(milestone: Milestone) -> MilestoneStatus:
    """Where it is, apart from being disputed."""
    return MilestoneStatus(milestone.resumes_as or milestone.status)


def move(milestone: Milestone, target: MilestoneStatus, *, now: datetime) -> bool:
    """Money moved, or work was delivered. A disputed milestone stays disputed, and resumes as `target`."""
    if target not in MILESTONE_MOVES[standing(milestone)] or target == MilestoneStatus.DISPUTED:
        return False
    column = "resumes_as" if milestone.status == MilestoneStatus.DISPUTED else "status"
    return _apply(milestone, **{column: target}, **_times(target, milestone, now))


def freeze(milestone: Milestone) -> bool:
    """A dispute was opened. False when it was frozen already, or holds nothing that could be disputed."""
    if MilestoneStatus.DISPUTED not in MILESTONE_MOVES[MilestoneStatus(milestone.status)]:
        return False
    return _apply(milestone, status=MilestoneStatus.DISPUTED, resumes_as=milestone.status)


def thaw(milestone: Milestone) -> bool:
    """The last open dispute has ended: it is again what it is besides."""
    if milestone.status != MilestoneStatus.DISPUTED:
        return False
    return _apply(milestone, status=milestone.resumes_as, resumes_as="")


def back_to_work(milestone: Milestone, *, now: datetime) -> bool:
    """Its money is held again: a refund failed, or its transfer was reversed."""
    held = MilestoneStatus.DELIVERED if milestone.delivered_at else MilestoneStatus.FUNDED
    return move(milestone, held, now=now)


def _times(target: MilestoneStatus, milestone: Milestone, now: datetime) -> dict[str, datetime]:
    """When it got there for the first time."""
    if target == MilestoneStatus.FUNDED and milestone.funded_at is None:
        return {"funded_at": now}
    if target == MilestoneStatus.DELIVERED and milestone.delivered_at is None:
        return {"delivered_at": now}
    return {}


def _apply(milestone: Milestone, **changes: Any) -> bool:
    seen = Milestone.objects.filter(pk=milestone.pk, status=milestone.status, resumes_as=milestone.resumes_as)
    won: bool = seen.update(**changes) == 1
    if won:
        for name, value in changes.items():
            setattr(milestone, name, value)
    return won
