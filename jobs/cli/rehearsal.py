"""`--dry-run`: the real thing, then rolled back; so what it says is what would happen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from django.db import transaction

from jobs import events


@contextmanager
def rehearsed() -> Iterator[None]:
    """Undo what the block writes. Nothing is rung, since that waits for a commit; nothing is logged."""
    with events.muted(), transaction.atomic():
        yield
        transaction.set_rollback(True)


def stage(options: dict[str, Any]) -> AbstractContextManager[None]:
    """Where a verb's deed takes place: for real, or with `--dry-run` in a rehearsal."""
    return rehearsed() if options["dry_run"] else nullcontext()
