"""The files of the archive: what is in them, and how far each got."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from jobs.ids import uuid7

UNFINISHED = ("writing", "written")


class FileState(models.TextChoices):
    """How far a file got. A kill leaves one of the first two; the next run goes on from there."""

    WRITING = "writing"  # the file may be there, whole or in part; no row was removed
    WRITTEN = "written"  # it was read back and is right; no row was removed
    DONE = "done"  # its rows are in the file and nowhere else
    RESTORED = "restored"  # its rows were brought back


class ArchiveFile(models.Model):
    """One compressed JSON Lines file of rows that left the database."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    what = models.CharField(max_length=50, help_text="Whose rows, such as jobs.")
    state = models.CharField(max_length=10, choices=FileState.choices, default=FileState.WRITING)
    path = models.CharField(max_length=200, help_text="Its name in the storage.")
    rows = models.PositiveIntegerField(default=0, help_text="Lines of the file.")
    stayed = models.PositiveIntegerField(default=0, help_text="Changed while it was written; these were not removed.")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    done_at = models.DateTimeField(null=True, blank=True)
    restored_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        default_permissions = ["view"]
        constraints = [
            models.CheckConstraint(name="archive_state", condition=Q(state__in=FileState.values)),
            # Two that archive at once would put one row into two files.
            models.UniqueConstraint(name="archive_one_at_a_time", fields=["what"], condition=Q(state__in=UNFINISHED)),
        ]

    def __str__(self) -> str:
        return self.path

    @staticmethod
    def name_for(key: uuid.UUID, what: str, day: str) -> str:
        """Where a file lies: by kind and day, so that people find it without the database too."""
        return f"archive/{what.replace(' ', '-')}/{day}/{key}.jsonl.gz"
