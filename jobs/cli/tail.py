"""tail: a line per event, live."""

from __future__ import annotations

import time
from typing import Any

from rich.text import Text

from jobs.cli.feed import Event, Feed
from jobs.cli.output import LOOKS, Output, printable
from jobs.cli.selection import filter_of

PAUSE = 0.5
"""Seconds between two looks."""

sleep = time.sleep


def tail(options: dict[str, Any], out: Output) -> None:
    """The latest events; on a terminal (or with --follow) also those to come, until Ctrl-C."""
    feed = Feed(filter_of(options))
    follow = out.terminal if options["follow"] is None else options["follow"]
    try:
        _print(feed.look()[-options["lines"] :] if options["lines"] else [], options, out)
        while follow:
            sleep(PAUSE)
            _print(feed.look(), options, out)
    except KeyboardInterrupt:  # the way to end it
        return


def _print(events: list[Event], options: dict[str, Any], out: Output) -> None:
    for event in events:
        if options["json"]:
            out.json_line(event.as_json())
        elif out.terminal:
            out.draw(_drawn(event))
        else:
            out.say(_line(event))


def _line(event: Event) -> str:
    parts = [f"{event.at:%H:%M:%S.%f}"[:-3], f"{event.event:<9}", str(event.job.id), event.job.kind]
    return "  ".join([*parts, *(text for text in (event.job.subject, event.detail) if text)]).replace("\n", " ")


def _drawn(event: Event) -> Text:
    """The same line with the state's icon, coloured by the state."""
    icon, colour = LOOKS.get(event.state, (" ", "default"))
    return Text(f"{icon} {printable(_line(event))}", style="default" if event.event == "log" else colour)
