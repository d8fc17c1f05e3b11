"""`manage.py jobs <verb>`: the operator's command line. Exit codes: 0 done, 1 refused or not found, 2 usage."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jobs.cli import VERBS, Refused
from jobs.states import State


class Command(BaseCommand):
    """Parses; jobs/cli.py does."""

    help = "See and steer background jobs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """One subparser per verb."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

        def verb(name: str, text: str) -> argparse.ArgumentParser:
            sub: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
            sub.add_argument("--json", action="store_true", help="Print JSON.")
            return sub

        verb("stats", "Jobs per queue and state, oldest due job, pauses, workers, keeper.")
        listing = verb("list", "Jobs, newest first.")
        _add_filter(listing)
        listing.add_argument("--limit", type=_positive, default=50, help="At most so many (50).")
        verb("show", "One job with its attempts and log.").add_argument("id")
        _add_enqueue(verb("enqueue", "Write a job."))
        for name, text in (
            ("retry", "Let failed or cancelled jobs start afresh."),
            ("cancel", "Cancel jobs; a running one stops at its next checkpoint."),
        ):
            chosen = verb(name, text)
            chosen.add_argument("id", nargs="*", help="Job ids; or choose by filter.")
            _add_filter(chosen)
        chosen.add_argument("--reason", default="by hand", help="Kept with the job.")
        paused = verb("pause", "Let nothing new start on a queue.")
        paused.add_argument("queue")
        paused.add_argument("--reason", required=True, help="Shown to whoever finds the queue standing still.")
        paused.add_argument("--for", type=_seconds, dest="seconds", metavar="SECONDS", help="End by itself after this.")
        verb("resume", "Lift the operator's pause.").add_argument("queue")

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the verb."""
        try:
            text = VERBS[options["verb"]](options)
        except Refused as refused:
            if refused.output:
                self.stdout.write(refused.output)
            self.stderr.write(str(refused))
            raise SystemExit(refused.code) from None
        self.stdout.write(text)


def _add_filter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--queue")
    parser.add_argument("--state", choices=[s.value for s in State])
    parser.add_argument("--kind")
    parser.add_argument("--subject")


def _add_enqueue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind")
    parser.add_argument("--kwargs", default="{}", metavar="JSON", help="Arguments as a JSON object.")
    parser.add_argument("--count", type=_positive, default=1, help="So many of it (1).")
    parser.add_argument("--delay", type=_seconds, metavar="SECONDS", help="Not before so many seconds from now.")
    parser.add_argument("--priority", type=int, choices=range(10), metavar="0-9", help="0 runs first.")
    parser.add_argument("--queue", help="Instead of the kind's own.")
    parser.add_argument("--unique-key", help="At most one unfinished job has this key.")
    parser.add_argument("--subject", help="What it is about, such as escrow:42.")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < 1e9:
        raise argparse.ArgumentTypeError("seconds, 0 or more")
    return number
