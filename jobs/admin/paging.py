"""Pages of a table that is never counted."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

LIMIT = 2000
"""Rows that pages lead to; what is older is reached by a link, since a large OFFSET is read and thrown away."""


class NewestFirst(Paginator):
    """The newest rows by page, and where the older ones begin."""

    @cached_property
    def _ids(self) -> list[Any]:
        found: Any = self.object_list
        return list(found.values_list("pk", flat=True)[: LIMIT + 1])

    @cached_property
    def count(self) -> int:
        """How many rows the pages lead to."""
        return min(len(self._ids), LIMIT)

    def ids_of(self, number: int) -> list[Any]:
        """The keys of a page's rows."""
        return self._ids[:LIMIT][(number - 1) * self.per_page : number * self.per_page]

    @property
    def older_than(self) -> Any | None:
        """The last row that a page leads to, if there are more."""
        return self._ids[LIMIT - 1] if len(self._ids) > LIMIT else None
