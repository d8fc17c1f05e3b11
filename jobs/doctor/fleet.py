"""Who keeps, who works, and whether they are of one build."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from celery import current_app
from django.conf import settings

from jobs import selectors
from jobs.database import now, rows
from jobs.doctor.findings import Finding, fail, ok, warn
from jobs.maintenance.relay import known_kinds
from jobs.models import Worker
from jobs.version import VERSION

LISTEN = 2.0
"""Seconds that a worker has to answer a ping through the broker."""
MOURN = timedelta(hours=1)
"""So long a worker that fell silent is missed."""
HEAD = 1000
"""Waiting jobs of each queue whose kinds are looked at; what nobody can run ends up at the head."""


def command(program: str, *options: str) -> str:
    """How to start one of Celery's programs."""
    return " ".join(["celery", "-A", str(current_app.main), program, *options])


def keeper() -> Iterator[Finding]:
    """Somebody promotes, reaps and rings again."""
    age = selectors.keeper_age(now())
    if age is not None and age <= selectors.KEEPER_SILENT:
        yield ok("keeper", f"ticked {age.total_seconds():.1f} s ago")
        return
    yield fail(
        "keeper",
        "nobody keeps" if age is None else f"nobody has kept for {duration(age.total_seconds())}",
        why="Delayed jobs and retries do not become due, schedules do not fire, lost jobs are not run again.",
        todo=command("beat", "--pidfile="),
    )


def workers() -> Iterator[Finding]:
    """Each queue has somebody; nobody fell silent."""
    moment = now()
    living = list(selectors.living_workers(moment))
    for queue in settings.JOBS_QUEUES:
        serving = [w for w in living if queue in w.queues]
        if serving:
            places = sum(w.concurrency for w in serving)
            yield ok("workers", f"{queue}: {', '.join(w.name for w in serving)} ({number(places, 'process', 'es')})")
        else:
            todo = command("worker", "-Q", queue, "-n", f"{queue}@%h")
            yield fail("workers", f"nobody works on queue {queue}", why=_last_of(queue, moment), todo=todo)
    names = [w.name for w in living]
    silent = Worker.objects.filter(stopping=False, seen_at__gt=moment - MOURN).exclude(name__in=names)
    for gone in silent.exclude(pk__in=[w.pk for w in living]).order_by("name"):
        yield warn("workers", _silence(gone, moment), todo=f"Look at process {gone.pid} on {gone.host}; restart it.")


def _last_of(queue: str, moment: datetime) -> str:
    last = Worker.objects.filter(queues__contains=[queue]).order_by("-seen_at").first()
    if last is None:
        return "None was ever started."
    if last.stopped_at is None or not last.stopping:  # the keeper buries who only fell silent
        return _silence(last, moment)
    return f"{last.name} left {duration((moment - last.stopped_at).total_seconds())} ago."


def _silence(gone: Worker, moment: datetime) -> str:
    since = duration((moment - gone.seen_at).total_seconds())
    return f"{gone.name} was last seen {since} ago: killed, frozen or cut off from PostgreSQL."


def versions() -> Iterator[Finding]:
    """Workers run the build that this process is of."""
    living = list(selectors.living_workers(now()))
    others = [w for w in living if w.version != VERSION]
    for other in others:
        yield fail(
            "versions",
            f"{other.name} runs version {other.version}; here it is {VERSION}",
            why="It runs old code, and may not know what was enqueued by new code.",
            todo=f"Restart it with this build (process {other.pid} on {other.host}).",
        )
    if living and not others:
        yield ok("versions", f"version {VERSION} everywhere: {number(len(living), 'worker')} and this process")


def kinds() -> Iterator[Finding]:
    """What waits can be run by somebody."""
    known = known_kinds(now())
    strange = [
        (queue, kind)
        for queue in settings.JOBS_QUEUES
        for (kind,) in rows(_WAITING_KINDS, [queue, HEAD])
        if queue in known and kind not in known[queue]
    ]
    for queue, kind in strange:
        yield fail(
            "kinds",
            f"jobs of kind {kind} wait in queue {queue}, and no worker there knows it",
            why="It was renamed or removed, or the workers are of another build.",
            todo=f"Deploy the kind, or declare it as an alias: @job(aliases=[{kind!r}]); or cancel: "
            f"manage.py jobs cancel --kind {kind} --queue {queue}",
        )
    if not strange:
        yield ok("kinds", "everything that waits is known to its workers")


_WAITING_KINDS = """
SELECT DISTINCT kind FROM (SELECT kind FROM jobs_job WHERE state = 'waiting' AND queue = %s
    ORDER BY priority, available_at, id LIMIT %s) head ORDER BY kind
"""


def answers() -> Iterator[Finding]:
    """Workers that are alive by their rows also hear through the broker."""
    names = sorted({w.name for w in selectors.living_workers(now())})
    if not names:
        return
    replies = current_app.control.ping(destination=names, timeout=LISTEN)
    deaf = sorted(set(names) - {name for reply in replies for name in reply})
    for name in deaf:
        yield fail(
            "answers",
            f"{name} does not answer through the broker within {LISTEN:g} s",
            why="It is frozen, or deaf: its connection to Redis is dead and it has not noticed.",
            todo="Restart it; its jobs run elsewhere when their leases end.",
        )
    if not deaf:
        yield ok("answers", f"{number(len(names), 'worker')} heard and answered")


def number(count: int, what: str, ending: str = "s") -> str:
    """How many of what."""
    return f"{count} {what}{ending if count != 1 else ''}"


def duration(seconds: float) -> str:
    """Seconds for people."""
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
