"""`manage.py jobs` as a test types it."""

from __future__ import annotations

import io
import json
from typing import Any

from django.core.management import CommandError, call_command


class Answer:
    """What a verb printed and how it ended."""

    def __init__(self, *argv: str, **options: Any) -> None:
        out, err = io.StringIO(), io.StringIO()
        try:
            call_command("jobs", *argv, stdout=out, stderr=err, **{"no_color": True} | options)
            self.code: Any = 0
        except SystemExit as end:
            self.code = end.code
        except CommandError as error:  # argparse's own refusals; from the command line they end with 2
            self.code, err = 2, io.StringIO(str(error))
        self.out, self.err = out.getvalue(), err.getvalue()

    @property
    def json(self) -> Any:
        """Its one document."""
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[Any]:
        """A document a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def on_a_terminal(*argv: str) -> Answer:
    """The same as a terminal would get it."""
    return Answer(*argv, no_color=False, force_color=True)
