"""What a search box finds, one index each: of the admin, and of the API."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.db.models import QuerySet

from jobs.models import Job

HELP = (
    "An id, kind, subject or tag, written out, or part of the error of a failed or unknown job; the first of these "
    "that is found. Name it if you mean another: kind:…, subject:…, tag:…, error:…"
)

type Jobs = QuerySet[Job]


def search(jobs: Jobs, text: str) -> Jobs:
    """The jobs that `text` means; none if nothing fits."""
    text = text.replace("\x00", "").strip()
    if not text:
        return jobs
    name, _, rest = text.partition(":")
    if rest and name in _WAYS:
        return _WAYS[name](jobs, rest.strip())
    for way in (_WAYS[name] for name in ("id", "kind", "subject", "tag")):
        # Over all jobs, not over the filtered ones: what a word means does not depend on a filter.
        if way(Job.objects.all(), text).exists():
            return way(jobs, text)
    return _by_error(jobs, text)


def _by_id(jobs: Jobs, text: str) -> Jobs:
    try:
        return jobs.filter(pk=uuid.UUID(text))
    except ValueError:
        return jobs.none()


def _by_error(jobs: Jobs, text: str) -> Jobs:
    return jobs.filter(state__in=["failed", "unknown"], error__icontains=text)


_WAYS: dict[str, Callable[[Jobs, str], Jobs]] = {
    "id": _by_id,
    "kind": lambda jobs, text: jobs.filter(kind=text),
    "subject": lambda jobs, text: jobs.filter(subject=text).exclude(subject=""),
    "tag": lambda jobs, text: jobs.filter(tags__contains=[text]).exclude(tags=[]),
    "error": _by_error,
}
