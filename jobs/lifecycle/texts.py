"""What a handler says, as PostgreSQL can hold it."""

from __future__ import annotations

import json
import re
from typing import Any

from django.conf import settings

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""A NUL as JSON writes it; a backslash that is itself escaped begins none."""


def storable(result: Any) -> str | None:
    """A handler's result as JSON text. What cannot be stored is described instead: the work itself was done."""
    if result is None:
        return None
    try:
        text = json.dumps(result, allow_nan=False, ensure_ascii=False)
    except Exception:  # noqa: BLE001 - no JSON, too deep, a number too long, or a class of the handler's own
        text = json.dumps({"not_json": _shown(result)}, ensure_ascii=False)
    text = _NUL.sub(r"\1", clean(text))
    size = len(text.encode())
    return text if size <= settings.JOBS_RESULT_LIMIT else json.dumps({"too_large": size, "begins": text[:1000]})


def _shown(result: Any) -> str:
    try:
        return repr(result)[:1000]
    except Exception:  # noqa: BLE001 - its own repr fails
        return f"<{type(result).__name__}>"


def clean(text: str) -> str:
    """Text that PostgreSQL can hold: no NUL, no lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
