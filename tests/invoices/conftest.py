"""Fixtures of the invoices' tests: a storage of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    """Where this test's PDFs lie."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"
