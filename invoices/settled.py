"""A PDF's objects, each put into bytes once.

pydyf does it twice, compression included: for the file, and for the digest that is its identifier.
"""

from __future__ import annotations

from typing import Any

import pydyf  # type: ignore[import-untyped]


class Settled(pydyf.Object):
    """An object of a PDF as its bytes; nothing of it changes any more."""

    data = b""
    compressible = False

    def __init__(self, whole: Any) -> None:
        super().__init__()
        self.number, self.generation, self.free = whole.number, whole.generation, whole.free
        self.data, self.compressible = whole.data, whole.compressible


def settle(_document: Any, pdf: Any) -> None:
    """Replace the objects of a PDF that is complete. What WeasyPrint calls just before it writes the file."""
    pdf.objects[:] = [each if each.free == "f" else Settled(each) for each in pdf.objects]
