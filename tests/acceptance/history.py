"""What the rows say: states, attempts and effects; and waiting until they say it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from contralock.local.waiting import wait_until
from jobs import JobHandle
from jobs.database import rows
from jobs.models import Attempt, Job

LIMIT = 20.0  # seconds that a story waits for what should take one or two


def job(handle: JobHandle) -> Job:
    """The row."""
    return Job.objects.get(pk=handle.id)


def outcomes(handle: JobHandle) -> list[str]:
    """How its runs ended, in order."""
    return list(Attempt.objects.filter(job_id=handle.id).order_by("number").values_list("outcome", flat=True))


def effects() -> list[str]:
    """What handlers left, in order."""
    return [word for (word,) in rows("SELECT word FROM story ORDER BY id")]


def wait_for_state(handle: JobHandle, state: str, *, limit: float = LIMIT) -> Job:
    """The row, as soon as it is in `state`."""
    wait_until(lambda: job(handle).state == state, limit=limit, what=f"{state} job {handle.id}")
    return job(handle)


def wait_completed(handles: Iterable[JobHandle], *, limit: float = LIMIT) -> None:
    """All of them."""
    ids = [handle.id for handle in handles]

    def left() -> int:
        return len(ids) - Job.objects.filter(pk__in=ids, state="completed").count()

    wait_until(lambda: left() == 0, limit=limit, poll=0.05, what=f"completion of {len(ids)} jobs")


def wait_for_effect(word: str, *, times: int = 1, limit: float = LIMIT) -> None:
    """Until handlers left it that often."""
    wait_until(lambda: effects().count(word) >= times, limit=limit, what=f"effect {word!r}, {times}")


def wait_for_progress(count: int, *, limit: float = LIMIT) -> None:
    """Until that many jobs are completed."""
    completed = Job.objects.filter(state="completed")
    wait_until(lambda: completed.count() >= count, limit=limit, what=f"{count} completed jobs")


def completions(ids: Iterable[UUID]) -> dict[str, int]:
    """Per outcome, how many attempts of these jobs ended so."""
    found = rows("SELECT outcome, count(*) FROM jobs_attempt WHERE job_id = ANY(%s) GROUP BY 1", [list(ids)])
    return dict(found)
