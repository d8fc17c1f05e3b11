"""What the admin's pages share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse


class ReadOnly:
    """Nobody adds, edits or deletes here by the admin's own forms."""

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        return False


class Page(admin.ModelAdmin):
    """A part of the admin with our badges in it, whose lists never count a whole table."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    list_title = ""
    """Heading of the list, instead of "Select … to view"."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        title = self.list_title or str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    @property
    def media(self) -> forms.Media:
        return super().media + forms.Media(css={"all": ["jobs/admin.css"]})

    def page(self, request: HttpRequest, **context: Any) -> dict[str, Any]:
        """The context of a page of our own."""
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "has_view_permission": self.has_view_permission(request),
            **context,
        }

    def demand(self, request: HttpRequest, *permissions: str) -> None:
        """Refuse (403) whoever may not look at this part, or lacks one of its permissions, such as "retry"."""
        if not self.has_view_permission(request) or not all(self.may(request, name) for name in permissions):
            raise PermissionDenied

    def may(self, request: HttpRequest, name: str) -> bool:
        """Whether the person has `<app>.<name>_<model>`."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.{name}_{self.opts.model_name}"))

    def not_there(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Django's own answer to a page of something that is gone: back to the index, with a message."""
        answer: HttpResponse = getattr(self, "_get_obj_does_not_exist_redirect")(request, self.opts, pk)  # noqa: B009
        return answer


def who(request: HttpRequest) -> str:
    """Whom the engine's records name as the one who asked for it."""
    return f"admin:{request.user.get_username()}"[:200]
