"""Lists that are never counted: what somebody must act on first, then the newest."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from jobs.admin import paging
from jobs.admin.base import Page, ReadOnly
from jobs.database import now as database_now
from payments.admin.search import SEARCHES

OLDER = "id__lt"
"""The parameter of the page that begins where the others end."""


class MustActFirst(paging.NewestFirst):
    """The rows of each of `first`, in this order, then all others; the newest first among each."""

    first: ClassVar[tuple[Q, ...]] = ()

    @cached_property
    def _ids(self) -> list[Any]:
        found: Any = self.object_list
        ids: list[Any] = []
        rest = Q()
        for wanted in self.first:
            ids += self._some(found.filter(wanted & rest), len(ids))
            rest &= ~wanted
        return ids + self._some(found.filter(rest), len(ids))

    def _some(self, found: QuerySet[Any], before: int) -> list[Any]:
        return list(found.values_list("pk", flat=True)[: paging.LIMIT + 1 - before])


def must_act_first(*first: Q) -> type[MustActFirst]:
    """A paginator for these."""
    return type("MustActFirst", (MustActFirst,), {"first": first})


class Listing(ChangeList):
    """Reads its rows by the ids that the paginator found, in their order, and lets the page add to them."""

    model_admin: Rows

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        ids = self.paginator.ids_of(self.page_num)
        found = self.model_admin.shown(self.root_queryset.filter(pk__in=ids)).in_bulk()
        rows = [found[key] for key in ids if key in found]
        moment = database_now()
        for row in rows:
            row.clock = moment
        self.model_admin.attach(rows)
        self.result_list = rows

    @property
    def older_url(self) -> str:
        """Where the rows begin that no page leads to."""
        return self.get_query_string(self.model_admin.older(self.paginator.older_than))


class Rows(ReadOnly, Page):
    """A read-only list and its pages. Subclasses say what a line needs, so that 50 lines cost a few queries."""

    ordering = ["-pk"]
    sortable_by: ClassVar[list[str]] = []
    list_per_page = 50
    list_max_show_all = 0
    paginator = paging.NewestFirst
    actions = None
    first: ClassVar[tuple[Q, ...]] = ()
    """What somebody must act on."""
    related: ClassVar[tuple[str, ...]] = ()
    """Rows that a line names."""
    heavy: ClassVar[tuple[str, ...]] = ()
    """Columns that no line shows."""

    @property
    def media(self) -> forms.Media:
        return super().media + forms.Media(css={"all": ["payments/admin.css"]})

    def shown(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of a page, with what their lines name."""
        return (rows.select_related(*self.related) if self.related else rows).defer(*self.heavy)

    def attach(self, rows: list[Any]) -> None:
        """Give the rows of a page what a line shows besides its columns."""

    def older(self, key: Any) -> dict[str, str]:
        """The parameters of the page that begins after the row with this key."""
        return {OLDER: str(key)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Listing

    def get_paginator(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Paginator[Any]:
        if queryset.model is not self.model:  # a row's history
            return Paginator(queryset, *args, **kwargs)
        if self.first and OLDER not in request.GET:
            return must_act_first(*self.first)(queryset, *args, **kwargs)
        return super().get_paginator(request, queryset, *args, **kwargs)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.replace("\x00", "").strip()
        search = SEARCHES.get(str(self.opts.model_name))
        return (search(queryset, term) if search and term else queryset), False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields or ()

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        row = super().get_object(*args, **kwargs)
        if row is not None:
            row.clock = database_now()
            self.attach([row])
        return row
