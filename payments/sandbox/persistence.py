"""The state file: a journal of JSON lines, one for each call that changed something.

A line is written with one system call before the call is answered, so a server that is killed has lost nothing it
answered for. The file begins with a snapshot and is rewritten (a new file, renamed over the old one) at each start
and when it has grown too long. A last line that a kill cut short is left out: nobody was answered for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Any, Self

from payments.sandbox.store import Record, Store

VERSION = 1
GROWTH = 16 * 1024 * 1024  # bytes of journal before it is rewritten; more when the snapshot itself is longer


class StateFileUnusable(Exception):
    """The state file is in use by another server, or is not one of ours."""


class Journal:
    """Where a store is written down. Without a path nothing is."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: int | None = None
        self._lock: int | None = None
        self._grown, self._limit = 0, GROWTH

    def load(self) -> Store:
        """The store as the file has it, empty when there is none. Raises StateFileUnusable."""
        store = Store()
        if self._path is None:
            return store
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._take_lock(self._path)
        with contextlib.suppress(FileNotFoundError):
            _replay(store, self._path)
        return store

    def begin(self, store: Store) -> Self:
        """Write the whole store as a snapshot and append to it from now on."""
        store.unwritten()
        if self._path is None:
            return self
        new = self._path.with_name(self._path.name + ".new")
        with new.open("wb") as file:
            file.write(_line({"local_stripe": VERSION}))
            for record in store.everything():
                file.write(_line({"put": [_packed(record)]}))
            file.flush()
            os.fsync(file.fileno())
        new.chmod(0o600)  # webhook secrets are in it
        new.replace(self._path)
        self._close_file()
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._grown, self._limit = 0, max(GROWTH, self._path.stat().st_size)
        return self

    def write(self, store: Store) -> None:
        """Append what changed since the last call."""
        changed, removed = store.unwritten()
        if self._file is None or not (changed or removed):
            return
        line = _line({"put": [_packed(record) for record in changed]} | ({"gone": removed} if removed else {}))
        _write_all(self._file, line)
        self._grown += len(line)
        if self._grown > self._limit:
            self.begin(store)

    def close(self) -> None:
        """Let go of the file."""
        self._close_file()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _take_lock(self, path: Path) -> None:
        self._lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateFileUnusable(
                f"Another local Stripe is using {path}. Stop it, or give another --state."
            ) from None


def _replay(store: Store, path: Path) -> None:
    lines = path.read_bytes().split(b"\n")
    whole = lines[:-1]  # what follows the last newline was cut short, or is empty
    for number, line in enumerate(whole, 1):
        try:
            entry = json.loads(line)
            if number == 1 and entry.get("local_stripe") != VERSION:
                raise ValueError("its first line is not ours")
            for packed in entry.get("put", ()):
                _put(store, packed)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateFileUnusable(
                f"{path} is not a state file of this local Stripe (line {number}: {error}). Move it away to start anew."
            ) from error
        for wanted in entry.get("gone", ()):
            found = store.any(wanted)
            if found is not None:
                store.remove(found)


def _put(store: Store, packed: dict[str, Any]) -> None:
    known = store.any(packed["data"]["id"])
    if known is None:
        store.load(Record(packed["kind"], packed["account"], packed["data"], packed["hidden"], packed["order"]))
    else:
        known.data, known.hidden = packed["data"], packed["hidden"]


def _packed(record: Record) -> dict[str, Any]:
    return {
        "kind": record.kind, "account": record.account, "order": record.order, "data": record.data,
        "hidden": record.hidden,
    }  # fmt: skip


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
