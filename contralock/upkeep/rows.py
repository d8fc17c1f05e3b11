"""Rows as lines of JSON and back, by PostgreSQL itself: whatever a table's columns are, none is forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection

from jobs.archivable import Archivable
from jobs.database import rows


def export(what: Archivable, ids: Iterable[Any], *, lock: bool = False) -> dict[str, str]:
    """Each row's line by its id as text, parts included; what is gone is left out.

    `lock` holds the rows until the transaction ends.
    """
    parts = ", ".join(
        f"'{part.table}', (SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.id), '[]')"  # noqa: S608 - names of our apps
        f" FROM {part.table} p WHERE p.{part.owner} = t.id)"
        for part in what.parts
    )
    query = f"""SELECT t.id::text, jsonb_build_object('row', to_jsonb(t), 'parts', jsonb_build_object({parts}))::text
        FROM {what.table} t WHERE t.id = {_any(what)} ORDER BY t.id {"FOR UPDATE OF t" if lock else ""}"""  # noqa: S608
    return dict(rows(query, [_texts(ids)]))


def remove(what: Archivable, ids: Iterable[Any]) -> int:
    """Remove rows and their parts; how many rows."""
    keys = _texts(ids)
    for part in what.parts:
        rows(f"DELETE FROM {part.table} WHERE {part.owner} = {_any(what)}", [keys])  # noqa: S608
    return len(rows(f"DELETE FROM {what.table} WHERE id = {_any(what)} RETURNING id", [keys]))  # noqa: S608


def _any(what: Archivable) -> str:
    """The parameter is cast, not the column: so its index serves."""
    return f"ANY(%s::text[]::{what.key}[])"


def _texts(ids: Iterable[Any]) -> list[str]:
    return [str(key) for key in ids]


def bring_back(what: Archivable, line: str) -> bool:
    """Write a row and its parts again; False when it is there. Columns that have come since have their defaults.

    Raises IntegrityError when another row has taken its place.
    """
    found = json.loads(line)
    if not _insert(what.table, [found["row"]]):
        return False
    for part in what.parts:
        _insert(part.table, found["parts"].get(part.table, []))
    return True


def _insert(table: str, given: list[dict[str, Any]]) -> int:
    if not given:
        return 0
    known = {column.name for column in connection.introspection.get_table_description(connection.cursor(), table)}
    names = ", ".join(connection.ops.quote_name(name) for name in given[0] if name in known)
    query = f"""INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, %s)
        ON CONFLICT (id) DO NOTHING RETURNING id"""  # noqa: S608
    return len(rows(query, [json.dumps(given)]))
