"""pause, resume: a queue stands still, and goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from jobs import queues, selectors
from jobs.cli.output import Output, Refused
from jobs.cli.reading import pauses_of
from jobs.cli.rehearsal import stage
from jobs.cli.selection import me, sentence
from jobs.database import now as database_now


def pause(options: dict[str, Any], out: Output) -> None:
    """Pause a queue."""
    queue = options["queue"]
    until = database_now() + timedelta(seconds=options["seconds"]) if options["seconds"] is not None else None
    try:
        with stage(options):
            queues.pause(queue, reason=options["reason"], by=me(), until=until)
    except (queues.UnknownQueue, ValueError) as error:
        raise Refused(sentence(error), code=2) from None
    if options["json"]:
        out.json({"queue": queue, "paused": True} | _marked(options))
    elif options["dry_run"]:
        counts = selectors.counts()[queue]
        out.say(f"would pause {queue}: {counts['waiting']} waiting would stay, {counts['active']} active would go on")
    else:
        out.say(f"{queue} is paused")


def resume(options: dict[str, Any], out: Output) -> None:
    """Resume a queue."""
    queue = options["queue"]
    try:
        with stage(options):
            lifted = queues.resume(queue)
            others = pauses_of(selectors.pauses(database_now()), queue)
    except queues.UnknownQueue as error:
        raise Refused(sentence(error), code=2) from None
    still = "; ".join(others)
    if not lifted:
        raise Refused(f"{queue} was not paused by an operator." + (f" It is paused {still}." if others else ""))
    if options["json"]:
        out.json({"queue": queue, "paused": bool(others)} | _marked(options))
    elif options["dry_run"]:
        out.say(f"would lift the operator's pause of {queue}" + (f"; still paused {still}" if others else ""))
    elif others:
        out.say(f"the operator's pause of {queue} is lifted; still paused {still}")
    else:
        out.say(f"{queue} is resumed")


def _marked(options: dict[str, Any]) -> dict[str, bool]:
    return {"dry_run": True} if options["dry_run"] else {}
