"""The command line of `manage.py jobs`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from jobs.limits import read_rate
from jobs.states import State

type Add = Callable[..., argparse.ArgumentParser]


def add_verbs(parser: Any) -> None:
    """One subparser per verb."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def add(name: str, text: str, *, json: str = "Print JSON.", dry_run: bool = False) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
        sub.add_argument("--json", action="store_true", help=json)
        if dry_run:
            sub.add_argument("--dry-run", action="store_true", help="Say what would happen, and change nothing.")
        return sub

    _add_reading(add)
    _add_writing(add)
    _add_pausing(add)
    doctor = add("doctor", "Examine everything, with a live round trip through every queue; say what to do.")
    _add_timeout(doctor, 10.0, "For the round trips (10).")
    text = "Celery's worker; what follows is its own command line: worker --reload -Q email."
    worker = verbs.add_parser("worker", help=text, description=text)
    worker.add_argument("--reload", action="store_true", help="Start it anew when a file changes (development).")
    worker.add_argument("celery", nargs="*", metavar="OPTION", help="Celery's options.")


def pass_on(argv: list[str]) -> list[str]:
    """`argv` so that argparse leaves Celery's options alone."""
    if argv[2:3] != ["worker"]:
        return argv
    own = [word for word in argv[3:] if word in ("--reload", "--help", "-h")]
    return [*argv[:3], *own, "--", *(word for word in argv[3:] if word not in own)]


def _add_reading(add: Add) -> None:
    add("stats", "Jobs per queue and state, oldest due job, pauses, workers, keeper.")
    listing = add("list", "Jobs, newest first.")
    _add_filter(listing)
    listing.add_argument("--limit", type=_positive, default=50, help="At most so many (50).")
    add("show", "One job with its attempts and log.").add_argument("id")
    tail = add("tail", "A line per event, live on a terminal; Ctrl-C ends it.", json="Print JSON, an event a line.")
    _add_filter(tail)
    tail.add_argument("-n", "--lines", type=_count, default=20, help="Begin with so many of the latest events (20).")
    tail.add_argument("--follow", action="store_true", default=None, help="Go on, though this is no terminal.")
    tail.add_argument("--once", action="store_false", dest="follow", help="Print the latest events and end.")


def _add_writing(add: Add) -> None:
    _add_enqueue(add("enqueue", "Write a job.", dry_run=True))
    waiting = add("wait", "Wait for jobs to be finished; exit code 1 unless all are completed.")
    waiting.add_argument("id", nargs="+")
    _add_timeout(waiting, None, "Give up after this.")
    for name, text in (
        ("retry", "Let failed or cancelled jobs start afresh."),
        ("promote", "Let delayed jobs run now."),
        ("cancel", "Cancel jobs; a running one stops at its next checkpoint."),
    ):
        chosen = add(name, text, dry_run=True)
        chosen.add_argument("id", nargs="*", help="Job ids; or choose by filter.")
        _add_filter(chosen)
    chosen.add_argument("--reason", default="by hand", help="Kept with the job.")


def _add_pausing(add: Add) -> None:
    paused = add("pause", "Let nothing new start on a queue.", dry_run=True)
    paused.add_argument("queue")
    paused.add_argument("--reason", required=True, help="Shown to whoever finds the queue standing still.")
    paused.add_argument("--for", type=_seconds, dest="seconds", metavar="SECONDS", help="End by itself after this.")
    add("resume", "Lift the operator's pause.", dry_run=True).add_argument("queue")
    limited = add("limit", "Let only so much of a queue run, in place of any limits before.", dry_run=True)
    limited.add_argument("queue")
    limited.add_argument("--concurrency", type=int, metavar="N", help="At most so many at once, of all workers.")
    limited.add_argument("--rate", type=_rate, metavar="N/TIME", help="At most so many starts: 10/s, 100/5m, 1000/h.")
    add("unlimit", "Lift a queue's limits.", dry_run=True).add_argument("queue")


def _add_enqueue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind")
    parser.add_argument("--kwargs", default="{}", metavar="JSON", help="Arguments as a JSON object.")
    parser.add_argument("--count", type=_positive, default=1, help="So many of it (1).")
    parser.add_argument("--delay", type=_seconds, metavar="SECONDS", help="Not before so many seconds from now.")
    parser.add_argument("--priority", type=int, choices=range(10), metavar="0-9", help="0 runs first.")
    parser.add_argument("--queue", help="Instead of the kind's own.")
    parser.add_argument("--unique-key", help="At most one unfinished job has this key.")
    parser.add_argument("--subject", help="What it is about, such as escrow:42.")
    parser.add_argument("--wait", action="store_true", help="Wait until it is finished; exit code 1 unless completed.")
    _add_timeout(parser, None, "With --wait: give up after this.")


def _add_filter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--queue")
    parser.add_argument("--state", choices=[s.value for s in State])
    parser.add_argument("--kind")
    parser.add_argument("--subject")


def _add_timeout(parser: argparse.ArgumentParser, default: float | None, text: str) -> None:
    parser.add_argument("--timeout", type=_seconds, default=default, metavar="SECONDS", help=text)


MOST = 1_000_000
"""Of anything that is counted on a command line."""


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"1 to {MOST:,}")
    return number


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"0 to {MOST:,}")
    return number


def _rate(text: str) -> tuple[int, float]:
    try:
        return read_rate(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < 1e9:
        raise argparse.ArgumentTypeError("seconds, 0 or more")
    return number
