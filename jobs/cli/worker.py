"""worker: `celery worker` under another name; with --reload started anew whenever a file changes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from celery import current_app

from jobs.cli.output import Output


def worker(options: dict[str, Any], out: Output) -> None:
    """Become Celery's worker, or look after one. What follows the verb is Celery's own command line."""
    os.chdir(_home())
    command = [sys.executable, "-m", "celery", "-A", str(current_app.main), "worker", *options["celery"]]
    if options["reload"]:
        from jobs.cli.reloading import keep  # only here: it needs what a development machine has

        keep(command, out)
    else:
        os.execv(sys.executable, command)  # noqa: S606 - to be the worker is the purpose


def _home() -> Path:
    """Where the app's package lies: Celery imports from the working directory first, whatever that is."""
    package = sys.modules[str(current_app.main)].__file__ or __file__
    return Path(package).parent.parent
