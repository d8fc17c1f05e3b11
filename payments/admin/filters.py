"""Filters by a column that has few values. They are named in code, so that no list reads its whole table for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest


class ByValue(SimpleListFilter):
    """By what a column is. Subclasses are made by `by`."""

    values: tuple[str, ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value.replace("_", " ")) for value in self.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


def by(column: str, values: Iterable[str], title: str = "") -> type[ByValue]:
    """A filter by a column and its values."""
    made = {"title": title or column.replace("_", " "), "parameter_name": column, "values": tuple(map(str, values))}
    return type("ByValue", (ByValue,), made)


class ByCurrency(ByValue):
    """Those that are taken here: all that Stripe knows would be too many to choose from."""

    title = "currency"
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code) for code in settings.PAYMENTS_CURRENCIES]
