"""The verbs of `manage.py jobs`: options in, text out (or JSON with --json)."""

from __future__ import annotations

import getpass
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction

from jobs import control, queues, selectors
from jobs.arguments import InvalidArguments
from jobs.database import now as database_now
from jobs.enqueue import enqueue_json, enqueue_many
from jobs.kinds import Kind, kind_of
from jobs.lifecycle import CannotMove
from jobs.options import InvalidOptions
from jobs.selectors import Filter
from jobs.states import State


class Refused(Exception):
    """Something was not done; the text says what and why. `output` holds what was done nevertheless."""

    def __init__(self, text: str, *, code: int = 1, output: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.output = output


def stats(options: dict[str, Any]) -> str:
    """Counts and health."""
    now = database_now()
    age, held, oldest = selectors.keeper_age(now), selectors.pauses(now), selectors.oldest_due(now)
    found: dict[str, Any] = {
        "queues": {
            queue: counts | {"oldest_due_seconds": round(oldest.get(queue, 0.0), 1), "paused": _pauses(held, queue)}
            for queue, counts in selectors.counts().items()
        },
        "workers": [
            {"name": w.name, "queues": w.queues, "concurrency": w.concurrency, "version": w.version}
            for w in selectors.living_workers(now)
        ],
        "keeper_age_seconds": None if age is None else round(age.total_seconds(), 1),
    }
    if options["json"]:
        return _json(found)
    columns = [*(s.value for s in State), "oldest_due_seconds"]
    table = [[queue, *(str(counts[c]) for c in columns)] for queue, counts in found["queues"].items()]
    lines = [_table(["queue", *(c.replace("_seconds", " s").replace("_", " ") for c in columns)], table)]
    lines += [f"{queue} is paused: {text}" for queue, counts in found["queues"].items() for text in counts["paused"]]
    lines.append(f"{len(found['workers'])} workers: {', '.join(w['name'] for w in found['workers']) or 'none'}")
    if age is None or age > selectors.KEEPER_SILENT:
        lines.append("NO KEEPER TICKS: start celery -A contralock beat")
    else:
        lines.append(f"keeper ticked {age.total_seconds():.1f} s ago")
    return "\n".join(lines)


def _pauses(held: dict[str, Any], queue: str) -> list[str]:
    return [f"by {p.owner}{f' ({p.by})' if p.by else ''}: {p.reason}" for p in held.get(queue, [])]


def list_(options: dict[str, Any]) -> str:
    """Jobs by filter."""
    found = [selectors.summary(job) for job in _filter(options).apply()[: options["limit"]]]
    if options["json"]:
        return _json(found)
    columns = ["id", "kind", "queue", "state", "runs", "failures", "crashes", "subject", "created_at", "error"]
    return _table(columns, [[_cell(job[c]) for c in columns] for job in found])


def show(options: dict[str, Any]) -> str:
    """One job."""
    found = selectors.details(_job(options["id"]))
    if options["json"]:
        return _json(found)
    attempts, log = found.pop("attempts"), found.pop("log")
    lines = [f"{name:17} {value}" for name, value in found.items() if value not in (None, "", [], {})]
    for a in attempts:
        error = f"  {a['error_class']}: {a['message']}" if a["message"] else ""
        lines.append(
            f"run {a['number']:<3} {a['started_at']}  {a['seconds']:>8.3f} s  {a['outcome']}  on {a['worker']}{error}"
        )
        lines += [f"    {line}" for line in a["traceback"].splitlines()]
    lines += [f"log {line['at']} run {line['run']}: {line['line']}" for line in log]
    return "\n".join(lines)


def enqueue(options: dict[str, Any]) -> str:
    """Write one job or many."""
    try:
        kind = kind_of(options["kind"])
        kwargs = json.loads(options["kwargs"])
        if not isinstance(kwargs, dict):
            raise ValueError(f"--kwargs takes a JSON object, such as '{{\"message_id\": 1}}', got {options['kwargs']}")
        handles = _enqueue(kind, kwargs, options)
    except json.JSONDecodeError as error:
        raise Refused(f"--kwargs is not JSON: {error}", code=2) from None
    except (LookupError, InvalidArguments, InvalidOptions, ValueError) as error:
        raise Refused(_text(error), code=2) from None
    ids = [str(handle.id) for handle in handles]
    if options["json"]:
        return _json({"ids": ids, "created": sum(handle.created for handle in handles)})
    if not handles[0].created:
        return f"{ids[0]} (already there with this unique key)"
    return ids[0] if len(ids) == 1 else f"{len(ids)} jobs of {kind.name}: {ids[0]} … {ids[-1]}"


def _enqueue(kind: Kind, kwargs: dict[str, Any], options: dict[str, Any]) -> Sequence[Any]:
    chosen = {
        "countdown": options["delay"],
        "priority": options["priority"],
        "queue": options["queue"],
        "unique_key": options["unique_key"],
        "subject": options["subject"],
        "by": _me(),
    }
    if options["count"] == 1:
        return [enqueue_json(kind, kwargs, **chosen)]
    typed = kind.arguments.load(kwargs)
    with transaction.atomic():
        return enqueue_many(kind, calls=(typed for _ in range(options["count"])), options=chosen)


def retry(options: dict[str, Any]) -> str:
    """Retry by id or filter."""
    return _each(options, "retried", lambda job_id: control.retry(job_id, by=_me()))


def cancel(options: dict[str, Any]) -> str:
    """Cancel by id or filter."""
    return _each(options, "cancelled or asked to stop", lambda i: control.cancel(i, reason=options["reason"], by=_me()))


def pause(options: dict[str, Any]) -> str:
    """Pause a queue."""
    until = database_now() + timedelta(seconds=options["seconds"]) if options["seconds"] is not None else None
    try:
        queues.pause(options["queue"], reason=options["reason"], by=_me(), until=until)
    except (queues.UnknownQueue, ValueError) as error:
        raise Refused(_text(error), code=2) from None
    return _json({"queue": options["queue"], "paused": True}) if options["json"] else f"{options['queue']} is paused"


def resume(options: dict[str, Any]) -> str:
    """Resume a queue."""
    queue = options["queue"]
    try:
        lifted = queues.resume(queue)
    except queues.UnknownQueue as error:
        raise Refused(_text(error), code=2) from None
    others = _pauses(selectors.pauses(database_now()), queue)
    if not lifted:
        raise Refused(
            f"{queue} was not paused by an operator." + (f" It is paused {'; '.join(others)}." if others else "")
        )
    if options["json"]:
        return _json({"queue": queue, "paused": bool(others)})
    return (
        f"{queue} is resumed"
        if not others
        else f"the operator's pause of {queue} is lifted; still paused {'; '.join(others)}"
    )


VERBS: dict[str, Callable[[dict[str, Any]], str]] = {
    "stats": stats,
    "list": list_,
    "show": show,
    "enqueue": enqueue,
    "retry": retry,
    "cancel": cancel,
    "pause": pause,
    "resume": resume,
}


def _each(options: dict[str, Any], done: str, act: Callable[[uuid.UUID], object]) -> str:
    """Do it to each chosen job; refusals are told one by one and make the exit code 1."""
    ids = _chosen(options)
    moved, refused = [], []
    for job_id in ids:
        try:
            act(job_id)
            moved.append(str(job_id))
        except (CannotMove, ValueError) as error:
            refused.append(str(error))
    text = _json({"done": moved, "refused": refused}) if options["json"] else f"{len(moved)} of {len(ids)} {done}"
    if refused:
        raise Refused("\n".join(refused), output=text)
    return text


def _chosen(options: dict[str, Any]) -> list[uuid.UUID]:
    filter_ = _filter(options)
    if options["id"]:
        if not filter_.empty:
            raise Refused("Give ids or a filter, not both.", code=2)
        return [_job(job_id).id for job_id in options["id"]]
    if filter_.empty:
        raise Refused("Which jobs? Give ids, or a filter: --queue, --state, --kind, --subject.", code=2)
    return list(filter_.apply().values_list("id", flat=True))


def _filter(options: dict[str, Any]) -> Filter:
    return Filter(**{name: options[name] for name in ("queue", "state", "kind", "subject")})


def _job(job_id: str) -> Any:
    try:
        return selectors.get(job_id)
    except LookupError as error:
        raise Refused(_text(error)) from None


def _text(error: BaseException) -> str:
    return str(error.args[0]) if error.args else type(error).__name__


def _me() -> str:
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):  # no such user in a container
        return "shell"


def _cell(value: Any) -> str:
    return "" if value is None else str(value).replace("\n", " ")[:60]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, default=str)


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [list(head), *map(list, body)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
