"""limit, unlimit: only so much of a queue runs, and all of it again."""

from __future__ import annotations

from typing import Any

from jobs import limits, queues
from jobs.cli.output import Output, Refused
from jobs.cli.rehearsal import stage
from jobs.cli.selection import me, sentence


def limit(options: dict[str, Any], out: Output) -> None:
    """Set a queue's limits."""
    queue = options["queue"]
    rate, period = options["rate"] or (None, None)
    try:
        with stage(options):
            found = limits.limit(queue, concurrency=options["concurrency"], rate=rate, period=period, by=me())
    except (queues.UnknownQueue, ValueError) as error:
        raise Refused(sentence(error), code=2) from None
    if options["json"]:
        said = {"queue": queue, "concurrency": found.concurrency, "rate": found.rate, "period": found.period}
        out.json(said | ({"dry_run": True} if options["dry_run"] else {}))
    else:
        out.say(f"{queue} {'would run' if options['dry_run'] else 'runs'} {limits.words(found)}")


def unlimit(options: dict[str, Any], out: Output) -> None:
    """Lift a queue's limits."""
    queue = options["queue"]
    try:
        with stage(options):
            lifted = limits.lift(queue)
    except queues.UnknownQueue as error:
        raise Refused(sentence(error), code=2) from None
    if not lifted:
        raise Refused(f"{queue} has no limits.")
    if options["json"]:
        out.json({"queue": queue, "limited": False} | ({"dry_run": True} if options["dry_run"] else {}))
    else:
        out.say(f"the limits of {queue} {'would be' if options['dry_run'] else 'are'} lifted")
