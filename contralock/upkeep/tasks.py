"""The general queue's jobs that keep the database small. Each works in slices, so that others get their turn."""

from __future__ import annotations

import time

from contralock.upkeep import archive, sessions
from contralock.upkeep.models import ArchiveFile
from jobs import Snooze, archivable, current_job, job, retention
from jobs.database import now as database_now

TURN = 15.0
"""Seconds of work until the others of the queue have their turn."""


@job(queue="general", timeout=300.0, describe=lambda: "Remove expired sessions and tokens")
def clean_stale_sessions() -> dict[str, int]:
    """Remove expired sessions and tokens in batches. Safe to run twice: what is gone is gone."""
    run, moment = current_job(), database_now()
    there, removed = sessions.stale(moment), dict.fromkeys(sessions.KINDS, 0)
    until = time.monotonic() + TURN
    for kind in sessions.KINDS:
        while batch := sessions.remove_batch(kind, now=moment):
            removed[kind] += batch
            run.progress({"removed": sum(removed.values()), "of": there})
            run.checkpoint()
            _end_turn(until)
    return removed


@job(queue="general", timeout=600.0, describe=lambda: "Archive old data")
def archive_old_data() -> dict[str, int]:
    """Let old rows leave for the archive, and forget what is worth no archive.

    Safe to run twice, and to be killed anywhere: see contralock/upkeep/archive.py.
    """
    run, moment = current_job(), database_now()
    until, left = time.monotonic() + TURN, dict.fromkeys(archivable.registered, 0)
    for name, what in archivable.registered.items():
        while count := archive.archive_slice(what, now=moment, still_ours=run.checkpoint):
            left[name] += count
            run.log(f"{count} {name} archived")
            run.progress(left)
            _end_turn(until)
    retention.remove_leftovers(moment)
    return left | {"files": ArchiveFile.objects.filter(created_at__gte=moment).count()}


def _end_turn(until: float) -> None:
    """Let the next job of the queue begin when the turn is over; this one goes on after it. Raises Snooze."""
    if time.monotonic() > until:
        raise Snooze(0, "the others' turn; more is left")
