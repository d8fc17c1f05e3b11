"""What was enqueued."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic_core import to_jsonable_python

from jobs.kinds import JobFunction, Kind, kind_of
from jobs.models import Job

type AnyKind = JobFunction[..., Any] | str


def enqueued(kind: AnyKind | None = None, /, **arguments: Any) -> list[Job]:
    """The jobs of this kind (any, if none is given) with at least these arguments, oldest first, in any state."""
    jobs = Job.objects.order_by("id")
    if kind is not None:
        found = kind_from(kind)
        if hidden := found.arguments.sensitive & set(arguments):
            raise TypeError(
                f"{found.name}: {', '.join(sorted(hidden))} is sensitive and sealed in the row; leave it out."
            )
        jobs = jobs.filter(kind__in=found.names)
    return list(jobs.filter(args__contains=to_jsonable_python(arguments)) if arguments else jobs)


def assert_enqueued(kind: AnyKind, /, **arguments: Any) -> Job:
    """There is exactly one such job, and here it is. For several compare `enqueued(…)`."""
    found = enqueued(kind, **arguments)
    if len(found) != 1:
        raise AssertionError(f"{len(found)} jobs of {_wanted(kind, arguments)} were enqueued, not one. {_others(kind)}")
    return found[0]


def assert_not_enqueued(kind: AnyKind, /, **arguments: Any) -> None:
    """There is no such job."""
    if found := enqueued(kind, **arguments):
        raise AssertionError(f"{_wanted(kind, arguments)} was enqueued: {'; '.join(map(_shown, found))}.")


def kind_from(kind: AnyKind) -> Kind:
    """The kind of a decorated function, or by its name. Raises LookupError with a suggestion."""
    return kind_of(kind) if isinstance(kind, str) else kind.kind


def _wanted(kind: AnyKind, arguments: dict[str, Any]) -> str:
    return f"{kind_from(kind).name}{f' with {arguments}' if arguments else ''}"


def _others(kind: AnyKind) -> str:
    """What may have been meant."""
    if same := enqueued(kind):
        return f"There is: {'; '.join(map(_shown, same[:10]))}."
    counted = Counter(Job.objects.values_list("kind", flat=True))
    return f"There is: {', '.join(f'{n} {name}' for name, n in sorted(counted.items())) or 'no job at all'}."


def _shown(job: Job) -> str:
    return f"{job.kind} {job.args}, {job.state}"
