"""Whether invoices can be drawn and kept here: for `manage.py jobs doctor`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from ctypes.util import find_library

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from jobs.doctor import Finding, Level

LIBRARIES = ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset")


def paper() -> Iterator[Finding]:
    """Pango's libraries, and a file written into the storage and taken away again."""
    missing = [name for name in LIBRARIES if not find_library(name)]
    if missing:
        yield Finding(
            check="paper",
            level=Level.FAIL,
            what=f"Invoices cannot be drawn here: {', '.join(missing)} missing",
            why="WeasyPrint draws with these libraries; the jobs of the queue invoice fail without them.",
            todo="apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
        )
    try:
        default_storage.delete(default_storage.save(f"invoices/.doctor-{uuid.uuid4().hex}", ContentFile(b"?")))
    except OSError as error:
        yield Finding(
            check="paper",
            level=Level.FAIL,
            what=f"Invoices cannot be stored: {error}",
            why="PDFs are kept in Django's default storage.",
            todo="Make MEDIA_ROOT writable, or name a bucket by MEDIA_S3_BUCKET.",
        )
    else:
        if not missing:
            yield Finding(check="paper", level=Level.OK, what="invoices can be drawn and stored")
