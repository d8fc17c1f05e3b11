"""doctor: what is wrong, why, and what to do."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from rich.console import Console
from rich.status import Status

from jobs.cli.output import Output, Refused, look
from jobs.doctor import Finding, Level
from jobs.doctor.examination import examine


def doctor(options: dict[str, Any], out: Output) -> None:
    """Examine everything; Refused when something fails."""
    busy = Status("looking at everything …", console=Console(stderr=True)) if out.terminal else nullcontext()
    with busy:
        found = examine(timeout=options["timeout"])
    failed = sum(finding.level is Level.FAIL for finding in found)
    if options["json"]:
        out.json({"ok": not failed, "findings": [vars(finding) for finding in found]})
    else:
        for finding in found:
            _say(finding, out)
    if failed:
        raise Refused(f"{failed} of {len(found)} findings need something done.")


def _say(finding: Finding, out: Output) -> None:
    if out.terminal:
        out.draw(look(finding.level.value, width=5).append(f" {finding.check:<11} {finding.what}", style="default"))
    else:
        out.say(f"{finding.level.value:<5} {finding.check:<11} {finding.what}")
    for label, text in (("why", finding.why), ("do", finding.todo)):
        if text:
            out.say(f"{'':5} {'':11} {label + ':':<4} {text}")
