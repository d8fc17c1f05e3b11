"""The archive's files, to look at."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from contralock.upkeep.models import ArchiveFile


@admin.register(ArchiveFile)
class ArchiveFileAdmin(admin.ModelAdmin):
    """Read-only: `manage.py archive` shows what is in a file, and brings it back."""

    list_display = ("path", "what", "state", "rows", "stayed", "size", "created_at", "done_at")
    list_filter = ("what", "state")
    search_fields = ("path", "sha256")
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: the archive job writes them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ArchiveFile | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ArchiveFile | None = None) -> bool:
        """Nobody: its rows are nowhere else."""
        return False
