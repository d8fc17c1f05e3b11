"""Everything the local Stripe knows: records in memory, and which of them changed since they were last written down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from payments.sandbox import ids


@dataclass(slots=True)
class Record:
    """One object. `data` is what Stripe shows, `hidden` what only the local Stripe knows about it.

    Values inside both are replaced, never edited, so a shallow copy of `data` is a snapshot.
    """

    kind: str
    account: str
    data: dict[str, Any]
    hidden: dict[str, Any] = field(default_factory=dict)
    order: int = 0

    @property
    def id(self) -> str:
        return str(self.data["id"])


class Store:
    """Records by id, and by kind and account in the order they were made."""

    def __init__(self) -> None:
        self._by_id: dict[str, Record] = {}
        self._by_kind: dict[str, dict[str, Record]] = {}
        self._by_owner: dict[tuple[str, str], dict[str, Record]] = {}
        self._last = 0
        self.changed: dict[str, Record] = {}
        self.removed: list[str] = []

    def add(self, kind: str, account: str, data: dict[str, Any], **hidden: Any) -> Record:
        """A new record."""
        record = Record(kind, account, data, hidden, self._last + 1)
        self.load(record)
        self.changed[record.id] = record
        return record

    def load(self, record: Record) -> None:
        """A record that is already written down."""
        self._last = max(self._last, record.order)
        self._by_id[record.id] = record
        self._by_kind.setdefault(record.kind, {})[record.id] = record
        self._by_owner.setdefault((record.kind, record.account), {})[record.id] = record

    def change(self, record: Record, **fields: Any) -> dict[str, Any]:
        """Set fields that Stripe shows; gives the former values of those that differ (`previous_attributes`)."""
        former = {name: record.data.get(name) for name, value in fields.items() if record.data.get(name) != value}
        record.data.update(fields)
        self.changed[record.id] = record
        return former

    def note(self, record: Record, **fields: Any) -> None:
        """Set fields that Stripe does not show."""
        record.hidden.update(fields)
        self.changed[record.id] = record

    def remove(self, record: Record) -> None:
        """Forget it."""
        for shelf in (self._by_id, self._by_kind[record.kind], self._by_owner[record.kind, record.account]):
            del shelf[record.id]
        self.changed.pop(record.id, None)
        self.removed.append(record.id)

    def find(self, kind: str, wanted: str | None, account: str | None = None) -> Record | None:
        """The record of this kind and id, of this account if one is named."""
        record = self._by_id.get(wanted or "")
        if record is None or record.kind != kind or account not in (None, record.account):
            return None
        return record

    def get(self, kind: str, wanted: str) -> Record:
        """A record that must be there. Raises KeyError."""
        record = self.find(kind, wanted)
        if record is None:
            raise KeyError(f"There is no {kind} {wanted}.")
        return record

    def any(self, wanted: str) -> Record | None:
        """A record of whatever kind."""
        return self._by_id.get(wanted)

    def all(self, kind: str, account: str | None = None) -> list[Record]:
        """Oldest first."""
        shelf = self._by_kind.get(kind) if account is None else self._by_owner.get((kind, account))
        return list(shelf.values()) if shelf else []

    def newest_first(self, kind: str, account: str) -> Iterator[Record]:
        """As Stripe lists them."""
        return reversed((self._by_owner.get((kind, account)) or {}).values())

    def everything(self) -> list[Record]:
        """Oldest first."""
        return sorted(self._by_id.values(), key=lambda record: record.order)

    def unwritten(self) -> tuple[list[Record], list[str]]:
        """What changed and what was removed since the last call."""
        changed, removed = list(self.changed.values()), self.removed
        self.changed, self.removed = {}, []
        return changed, removed


def fresh(prefix: str, kind: str, now: int, **fields: Any) -> dict[str, Any]:
    """The fields every Stripe object begins with."""
    return {"id": ids.new(prefix), "object": kind, "created": now, "livemode": False} | fields
