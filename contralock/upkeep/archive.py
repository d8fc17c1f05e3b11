"""Old rows leave the database for files: written, read back, and only then removed.

    writing ──▶ written ──▶ done        a kill anywhere leaves a file that the next run finishes or begins anew

A row is in one file that is `done`, or in its table; never in neither, and never in two such files.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import transaction

from contralock.upkeep import rows as table
from contralock.upkeep.models import UNFINISHED, ArchiveFile, FileState
from jobs import archivable
from jobs.archivable import Archivable
from jobs.ids import uuid7


class Damaged(Exception):
    """A file is not what was written; nothing was removed, or nothing was brought back."""


def storage() -> Storage:
    """Where the files lie: the storage called `archive` if there is one."""
    return storages["archive" if "archive" in settings.STORAGES else "default"]


def archive_slice(what: Archivable, *, now: datetime, still_ours: Callable[[], None]) -> int:
    """Let old rows leave, settings.ARCHIVE_SLICE at most; how many left. What a killed run began is finished first.

    `still_ours` raises when another run has taken over. Raises Damaged.
    """
    if begun := ArchiveFile.objects.filter(what=what.name, state__in=UNFINISHED).first():
        return _go_on(what, begun, now, still_ours)
    ids = what.due(now, settings.ARCHIVE_SLICE)
    if not ids:
        return 0
    key = uuid7()
    file = ArchiveFile.objects.create(
        id=key, what=what.name, path=ArchiveFile.name_for(key, what.name, f"{now:%Y-%m-%d}")
    )
    _write(what, file, ids, still_ours)
    return _remove(what, file, now)


def _go_on(what: Archivable, file: ArchiveFile, now: datetime, still_ours: Callable[[], None]) -> int:
    still_ours()
    if file.state == FileState.WRITTEN:
        return _remove(what, file, now)
    storage().delete(file.path)
    file.delete()  # no row was removed for it
    return archive_slice(what, now=now, still_ours=still_ours)


def _write(what: Archivable, file: ArchiveFile, ids: list[Any], still_ours: Callable[[], None]) -> None:
    lines = table.export(what, ids).values()
    data = gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)
    saved = storage().save(file.path, ContentFile(data))
    _flush(saved)
    digest = hashlib.sha256(data).hexdigest()
    if hashlib.sha256(_bytes(saved)).hexdigest() != digest:
        raise Damaged(f"{saved} cannot be read back as it was written; its rows stay. Look at the storage.")
    still_ours()
    mine = ArchiveFile.objects.filter(pk=file.pk, state=FileState.WRITING)
    if not mine.update(state=FileState.WRITTEN, path=saved, rows=len(lines), size=len(data), sha256=digest):
        storage().delete(saved)
        raise Damaged(f"{saved} was begun anew by another run meanwhile.")
    file.refresh_from_db()


def _remove(what: Archivable, file: ArchiveFile, now: datetime) -> int:
    """In one transaction with the file's state. A row that is not what the file says of it stays."""
    kept = {_id(line): line for line in read(file)}
    with transaction.atomic():
        mine = ArchiveFile.objects.select_for_update().filter(pk=file.pk, state=FileState.WRITTEN)
        if not mine.exists():
            return 0
        present = table.export(what, kept, lock=True)
        same = [key for key, line in present.items() if line == kept[key]]
        removed = table.remove(what, same)
        mine.update(state=FileState.DONE, done_at=now, stayed=len(kept) - removed)
    return removed


def _id(line: str) -> str:
    return str(json.loads(line)["row"]["id"])


def read(file: ArchiveFile) -> Iterator[str]:
    """Its lines. Raises Damaged when it is not what was written."""
    data = _bytes(file.path)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise Damaged(
            f"{file.path} is not what was written (SHA-256 differs). Bring it back from a backup of the storage."
        )
    # Not splitlines(): JSON leaves U+2028 and its like as they are, and a text may hold them.
    yield from gzip.decompress(data).decode().removesuffix("\n").split("\n")


def restore(file: ArchiveFile, *, now: datetime, only: str = "") -> tuple[int, int]:
    """Bring its rows back, or the one whose id is `only`; how many came back, and how many were there already.

    Raises Damaged; ValueError for a file whose rows were never removed.
    """
    if file.state in UNFINISHED:
        raise ValueError(f"{file.path} is {file.state}: its rows are still in their table.")
    what = archivable.registered[file.what]
    lines = [line for line in read(file) if only in ("", _id(line))]
    with transaction.atomic():
        back = sum(table.bring_back(what, line) for line in lines)
        if not only:
            ArchiveFile.objects.filter(pk=file.pk).update(state=FileState.RESTORED, restored_at=now)
    return back, len(lines) - back


def _bytes(path: str) -> bytes:
    with storage().open(path) as file:
        data: bytes = file.read()
        return data


def _flush(path: str) -> None:
    """To the disk, where the storage is one: rows are removed next, and that is durable."""
    try:
        local = storage().path(path)
    except NotImplementedError:
        return  # an object storage answers when it has it
    for name, flags in ((local, os.O_RDONLY), (os.path.dirname(local), os.O_RDONLY | os.O_DIRECTORY)):
        handle = os.open(name, flags)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
