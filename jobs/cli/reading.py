"""stats, list, show: looking without touching."""

from __future__ import annotations

from typing import Any

from celery import current_app

from jobs import limits, selectors
from jobs.cli.output import Output
from jobs.cli.selection import filter_of, one
from jobs.database import now as database_now
from jobs.models import QueueLimit, QueuePause
from jobs.states import State

COLUMNS = ("id", "kind", "queue", "state", "runs", "failures", "crashes", "subject", "created_at", "error")


def stats(options: dict[str, Any], out: Output) -> None:
    """Counts and health."""
    now = database_now()
    age, held, oldest = selectors.keeper_age(now), selectors.pauses(now), selectors.oldest_due(now)
    limited = {found.queue: limits.words(found) for found in QueueLimit.objects.all()}
    found: dict[str, Any] = {
        "queues": {
            queue: counts
            | {
                "oldest_due_seconds": round(oldest.get(queue, 0.0), 1),
                "paused": pauses_of(held, queue),
                "limit": limited.get(queue, ""),
            }
            for queue, counts in selectors.counts().items()
        },
        "workers": [
            {"name": w.name, "queues": w.queues, "concurrency": w.concurrency, "version": w.version}
            for w in selectors.living_workers(now)
        ],
        "keeper_age_seconds": None if age is None else round(age.total_seconds(), 1),
    }
    out.json(found) if options["json"] else _say_stats(found, out)


def _say_stats(found: dict[str, Any], out: Output) -> None:
    columns = [*(s.value for s in State), "oldest_due_seconds"]
    head = ["queue", *(c.replace("_seconds", " s").replace("_", " ") for c in columns)]
    out.table(head, [[queue, *(str(counts[c]) for c in columns)] for queue, counts in found["queues"].items()])
    for queue, counts in found["queues"].items():
        for text in counts["paused"]:
            out.say(f"{queue} is paused: {text}")
        if counts["limit"]:
            out.say(f"{queue} runs {counts['limit']}")
    out.say(f"{len(found['workers'])} workers: {', '.join(w['name'] for w in found['workers']) or 'none'}")
    age = found["keeper_age_seconds"]
    if age is None or age > selectors.KEEPER_SILENT.total_seconds():
        out.say(f"NO KEEPER TICKS: start celery -A {current_app.main} beat")
    else:
        out.say(f"keeper ticked {age:.1f} s ago")


def pauses_of(held: dict[str, list[QueuePause]], queue: str) -> list[str]:
    """A queue's pauses as texts."""
    return [f"by {p.owner}{f' ({p.by})' if p.by else ''}: {p.reason}" for p in held.get(queue, [])]


def list_(options: dict[str, Any], out: Output) -> None:
    """Jobs by filter."""
    found = [selectors.summary(job) for job in filter_of(options).apply()[: options["limit"]]]
    if options["json"]:
        out.json(found)
    else:
        out.table(COLUMNS, [[_cell(job[c]) for c in COLUMNS] for job in found])


def _cell(value: Any) -> str:
    return "" if value is None else str(value)[:60]


def show(options: dict[str, Any], out: Output) -> None:
    """One job."""
    found = selectors.details(one(options["id"]))
    if options["json"]:
        out.json(found)
        return
    attempts, log, effects = found.pop("attempts"), found.pop("log"), found.pop("effects")
    for name, value in found.items():
        if value not in (None, "", [], {}):
            out.say(f"{name:17} {value}")
    for a in attempts:
        error = f"  {a['error_class']}: {a['message']}" if a["message"] else ""
        ran = f"{a['started_at']}  {a['seconds']:>8.3f} s  {a['outcome']}  on {a['worker']}"
        out.say(f"run {a['number']:<3} {ran}{error}")
        for line in a["traceback"].splitlines():
            out.say(f"    {line}")
    for touched in effects:
        out.say(f"effect {touched['at']} {touched['words']}  {touched['what']} {touched['id']}")
    for line in log:
        out.say(f"log {line['at']} run {line['run']}: {line['line']}")
