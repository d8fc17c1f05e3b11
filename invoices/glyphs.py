"""Which characters the fonts of the invoices can draw. PDF/A forbids the box that stands for one that none has."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont

FONTS = Path(__file__).parent / "fonts"
UNKNOWN = "?"
# Seen by nobody: joiners, marks of direction, and the selectors behind an emoji.
INVISIBLE = ("Cc", "Cf")
SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))


def drawable(text: str) -> str:
    """`text` with a question mark for each character that no font of ours has, such as an emoji."""
    known = _known()
    return text if known.issuperset(text) else "".join(_drawn(character, known) for character in text)


def _drawn(character: str, known: frozenset[str]) -> str:
    if character in known or unicodedata.category(character) in INVISIBLE:
        return character
    return "" if character in SELECTORS else UNKNOWN


@cache
def _known() -> frozenset[str]:
    found: set[int] = set()
    for file in FONTS.glob("*.ttf"):
        with TTFont(file, lazy=True) as font:
            found.update(font.getBestCmap())
    return frozenset(map(chr, found))
