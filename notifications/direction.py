"""Words of strangers (names, titles) inside sentences of ours, some of them written from right to left."""

from __future__ import annotations

import unicodedata

from notifications import compose

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
CONTROLS = dict.fromkeys(map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
"""Characters that turn what follows them: with one in a title an amount behind it could be read backwards."""

RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def isolated(text: str) -> str:
    """`text` as one line that cannot disturb the sentence it is put into, in subject, text and HTML alike.

    Controls of direction are taken out; a line with letters that run from right to left is put between
    isolates (Unicode UAX #9), so that it is ordered by itself.
    """
    line = compose.one_line(text.translate(CONTROLS))
    if any(unicodedata.bidirectional(character) in RIGHT_TO_LEFT for character in line):
        return f"{FIRST_STRONG_ISOLATE}{line}{POP_ISOLATE}"
    return line
