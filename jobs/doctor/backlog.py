"""Queues that stand still, and jobs that nothing happens to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings

from jobs import selectors
from jobs.database import now
from jobs.doctor.findings import Finding, fail, ok, warn
from jobs.doctor.fleet import command, duration
from jobs.models import Job
from jobs.states import State

LATE = 60.0
"""Seconds that a due job may wait without a word."""


def pauses() -> Iterator[Finding]:
    """Queues that somebody holds."""
    held = selectors.pauses(now())
    for queue, holds in held.items():
        for p in holds:
            until = f" until {p.until:%Y-%m-%d %H:%M} UTC" if p.until else ""
            by = f" ({p.by})" if p.by else ""
            todo = f"manage.py jobs resume {queue}" if p.owner == "operator" else f"It is {p.owner}'s to lift."
            yield warn("pauses", f"{queue} is paused by {p.owner}{by}{until}: {p.reason}", todo=todo)
    if not held:
        yield ok("pauses", "no queue is paused")


def waiting() -> Iterator[Finding]:
    """Nobody waits longer than LATE."""
    moment = now()
    late = {queue: seconds for queue, seconds in selectors.oldest_due(moment).items() if seconds > LATE}
    for queue, seconds in late.items():
        oldest = Job.objects.filter(state=State.WAITING, queue=queue).order_by("available_at").first()
        why = selectors.why_not_running(oldest, moment) if oldest else ""
        text = f"the oldest job of {queue} has been due for {duration(seconds)}"
        yield warn(
            "waiting",
            text,
            why=why[:1].upper() + why[1:] + "." if why else "",
            todo=f"manage.py jobs list --state waiting --queue {queue}; more workers, if they are all busy.",
        )
    if not late:
        yield ok("waiting", f"no due job waits longer than {LATE:g} s")


def stuck() -> Iterator[Finding]:
    """What a keeper should have moved."""
    moment = now()
    since = moment - timedelta(seconds=3 * settings.JOBS_LEASE + LATE)
    leased = Job.objects.filter(state=State.ACTIVE, lease_until__lt=since).count()
    delayed = Job.objects.filter(state=State.DELAYED, available_at__lt=moment - timedelta(seconds=LATE)).count()
    todo = f"{command('beat', '--pidfile=')}, or read its log: it may be failing."
    if leased:
        yield fail("stuck", f"{leased} jobs belong to workers that are gone", why="Nobody reaps them.", todo=todo)
    if delayed:
        text = f"{delayed} delayed jobs have been due for more than {LATE:g} s"
        yield fail("stuck", text, why="Nobody promotes them.", todo=todo)
    if not leased and not delayed:
        yield ok("stuck", "no lease and no due time was missed")


def unknown() -> Iterator[Finding]:
    """Outcomes that a person has to decide."""
    number = Job.objects.filter(state=State.UNKNOWN).count()
    if number:
        yield warn(
            "unknown",
            f"{number} jobs have an unknown outcome",
            why="Their outside effect may have happened; they are not run again by themselves.",
            todo="manage.py jobs list --state unknown; then decide each in the admin.",
        )
    else:
        yield ok("unknown", "no outcome is unknown")
