"""enqueue, retry, cancel, promote: writing jobs and moving them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction

from jobs import control, selectors
from jobs.arguments import InvalidArguments
from jobs.cli.output import Output, Refused
from jobs.cli.rehearsal import stage
from jobs.cli.selection import chosen, me, sentence
from jobs.cli.waiting import wait_for
from jobs.enqueue import JobHandle, enqueue_json, enqueue_many
from jobs.kinds import Kind, kind_of
from jobs.lifecycle import CannotMove
from jobs.options import InvalidOptions

SHOWN = ("kind", "queue", "state", "priority", "max_attempts", "subject", "available_at")


def enqueue(options: dict[str, Any], out: Output) -> None:
    """Write one job or many; with --dry-run only show the first of them."""
    if options["dry_run"] and options["wait"]:
        raise Refused("--dry-run writes nothing, so there is nothing to --wait for.", code=2)
    try:
        with stage(options):
            kind, handles = _write(options)
            first = _shown(handles[0]) if options["dry_run"] else {}
    except json.JSONDecodeError as error:
        raise Refused(f"--kwargs is not JSON: {error}", code=2) from None
    except (LookupError, InvalidArguments, InvalidOptions, ValueError) as error:
        raise Refused(sentence(error), code=2) from None
    if options["dry_run"]:
        _say_plan(handles, first, options, out)
    elif options["wait"]:
        _say_and_wait(kind, handles, options, out)
    else:
        out.json(_as_json(handles)) if options["json"] else out.say(_as_text(kind, handles))


def _write(options: dict[str, Any]) -> tuple[Kind, Sequence[JobHandle]]:
    kind = kind_of(options["kind"])
    kwargs = json.loads(options["kwargs"])
    if not isinstance(kwargs, dict):
        raise ValueError(f"--kwargs takes a JSON object, such as '{{\"message_id\": 1}}', got {options['kwargs']}")
    given = {name: options[name] for name in ("priority", "queue", "unique_key", "subject")}
    given |= {"countdown": options["delay"], "by": me()}
    if options["count"] == 1:
        return kind, [enqueue_json(kind, kwargs, **given)]
    typed = kind.arguments.load(kwargs)
    with transaction.atomic():
        return kind, enqueue_many(kind, calls=(typed for _ in range(options["count"])), options=given)


def _shown(handle: JobHandle) -> dict[str, Any]:
    job = selectors.get(handle.id)
    found = selectors.summary(job)
    return {name: found[name] for name in SHOWN} | {"args": job.args}


def _say_plan(handles: Sequence[JobHandle], first: dict[str, Any], options: dict[str, Any], out: Output) -> None:
    created = sum(handle.created for handle in handles)
    if options["json"]:
        holder = {} if created else {"already_there": str(handles[0].id)}
        out.json({"dry_run": True, "would_create": created, "job": first} | holder)
    elif not created:
        out.say(f"would write nothing: job {handles[0].id} has this unique key and is {first['state']}")
    else:
        out.say(f"would write {created} job{'s' if created > 1 else ''}:")
        for name, value in first.items():
            out.say(f"  {name:13} {json.dumps(value) if name == 'args' else value}")


def _say_and_wait(kind: Kind, handles: Sequence[JobHandle], options: dict[str, Any], out: Output) -> None:
    ids = [handle.id for handle in handles]
    if not options["json"]:
        out.say(_as_text(kind, handles))
        wait_for(ids, options, out)
        return
    wait_for(ids, options, out, told=_as_json(handles))


def _as_json(handles: Sequence[JobHandle]) -> dict[str, Any]:
    return {"ids": [str(handle.id) for handle in handles], "created": sum(handle.created for handle in handles)}


def _as_text(kind: Kind, handles: Sequence[JobHandle]) -> str:
    if not handles[0].created:
        return f"{handles[0].id} (already there with this unique key)"
    return (
        str(handles[0].id)
        if len(handles) == 1
        else f"{len(handles)} jobs of {kind.name}: {handles[0].id} … {handles[-1].id}"
    )


def retry(options: dict[str, Any], out: Output) -> None:
    """Retry by id or filter."""
    _each(options, out, "retried", lambda job_id: control.retry(job_id, by=me()))


def cancel(options: dict[str, Any], out: Output) -> None:
    """Cancel by id or filter."""
    done = "cancelled or asked to stop"
    _each(options, out, done, lambda job_id: control.cancel(job_id, reason=options["reason"], by=me()))


def promote(options: dict[str, Any], out: Output) -> None:
    """Let delayed jobs run now, by id or filter."""
    _each(options, out, "promoted", lambda job_id: control.promote(job_id, by=me()))


def _each(options: dict[str, Any], out: Output, done: str, act: Callable[[uuid.UUID], object]) -> None:
    """Do it to each chosen job; refusals are told one by one and make the exit code 1."""
    ids = chosen(options)
    moved, refused = [], []
    for job_id in ids:
        try:
            with stage(options):
                act(job_id)
            moved.append(str(job_id))
        except (CannotMove, ValueError) as error:
            refused.append(str(error))
    if options["json"]:
        out.json({"would_do" if options["dry_run"] else "done": moved, "refused": refused})
    else:
        out.say(f"{len(moved)} of {len(ids)} {'would be ' if options['dry_run'] else ''}{done}")
    if refused:
        raise Refused("\n".join(refused))
