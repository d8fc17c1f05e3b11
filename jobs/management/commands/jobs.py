"""`manage.py jobs <verb>`: the operator's command line. Exit codes: 0 done, 1 refused or not found, 2 usage."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jobs.cli import VERBS, Output, Refused
from jobs.cli.arguments import add_verbs, pass_on


class Command(BaseCommand):
    """Parses; jobs/cli/ does."""

    help = "See and steer background jobs."
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """From the shell."""
        super().run_from_argv(pass_on(argv))

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs and their options."""
        add_verbs(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the verb."""
        colour = options["force_color"] or not (options["no_color"] or os.environ.get("NO_COLOR"))
        out = Output(self.stdout, terminal=bool(colour and (options["force_color"] or self.stdout.isatty())))
        try:
            VERBS[options["verb"]](options, out)
        except Refused as refused:
            self.stderr.write(str(refused))
            raise SystemExit(refused.code) from None
        except KeyboardInterrupt:
            raise SystemExit(130) from None
        except BrokenPipeError:  # whoever read on the other side has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
