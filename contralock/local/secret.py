"""Secrets of a development machine: made once, kept in a file only its owner reads."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def kept_secret(path: Path, size: int = 24) -> str:
    """The secret in `path`, made of `size` random bytes (URL-safe text) when there is none yet."""
    if path.exists() and (known := path.read_text().strip()):
        return known
    made = secrets.token_urlsafe(size)
    write_private(path, f"{made}\n")
    return made


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads; readers see the old text or the new, never a part."""
    arriving = path.with_name(f"{path.name}.arriving")
    arriving.unlink(missing_ok=True)
    with os.fdopen(os.open(arriving, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    arriving.rename(path)
