"""Text from people, made fit for paper and XML (pure)."""

from __future__ import annotations

import unicodedata

# Overrides and isolates: with them a name could turn round the amount that stands behind it.
BIDI_CONTROLS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
# Control characters, surrogates, line breaks, and what Unicode has not assigned (XML forbids two of those).
UNFIT = ("Cc", "Cs", "Zl", "Zp", "Cn")


def one_line(text: str) -> str:
    """`text` as one line; what paper or XML cannot hold becomes a space."""
    kept = (" " if unicodedata.category(character) in UNFIT else character for character in text)
    return " ".join("".join("" if character in BIDI_CONTROLS else character for character in kept).split())
