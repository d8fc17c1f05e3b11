"""How states and times are shown: the same words, signs and colours on every page."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

SIGNS = {
    "waiting": "○",
    "delayed": "◷",
    "active": "▶",
    "completed": "✓",
    "failed": "✕",
    "cancelled": "⊘",
    "unknown": "?",
    "paused": "‖",
    # how an attempt may end besides
    "skipped": "✓",
    "timed out": "✕",
    "crashed": "✕",
    "snoozed": "◷",
    "released": "○",
    # workers and schedules
    "alive": "✓",
    "leaving": "◷",
    "left": "○",
    "gone": "✕",
    "open": "✓",
    "no worker": "✕",
    "broken": "✕",
    "on": "✓",
    "off": "○",
}
COLOURS = {
    "skipped": "completed",
    "timed out": "failed",
    "crashed": "failed",
    "snoozed": "delayed",
    "released": "waiting",
    "alive": "completed",
    "leaving": "paused",
    "left": "waiting",
    "gone": "failed",
    "open": "completed",
    "no worker": "failed",
    "broken": "failed",
    "on": "completed",
    "off": "waiting",
}
NOTHING = "–"


def badge(word: str) -> SafeString:
    """A state as sign, word and colour."""
    colour = COLOURS.get(word, word)
    return format_html(
        '<span class="state state-{}"><span aria-hidden="true">{}</span> {}</span>', colour, SIGNS.get(word, "·"), word
    )


def span(length: timedelta) -> str:
    """A length of time in its two largest units."""
    seconds = max(0.0, length.total_seconds())
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if minutes < 60:
        return f"{minutes} min {int(seconds % 60)} s"
    if hours < 48:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


def when(moment: datetime | None, now: datetime) -> SafeString | str:
    """A moment as its distance from now, with the moment itself on hover."""
    if moment is None:
        return NOTHING
    text = f"{span(now - moment)} ago" if moment <= now else f"in {span(moment - now)}"
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact(moment), text)


def exact(moment: datetime) -> str:
    """A moment to the second, in the site's time zone."""
    return f"{date_format(moment, 'Y-m-d H:i:s')} UTC"
