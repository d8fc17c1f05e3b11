"""Declaring a job: one decorated function, checked when it is imported."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol, cast

from celery import shared_task
from django.conf import settings

from jobs.arguments import Arguments, BadDeclaration
from jobs.task import JobTask

if TYPE_CHECKING:
    from jobs.enqueue import JobHandle

type Describe = Callable[..., str | None]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is declared about one kind of job. Times are seconds."""

    name: str
    queue: str
    priority: int
    max_attempts: int
    backoff: float
    backoff_max: float
    timeout: float
    batch: int
    arguments: Arguments
    function: Callable[..., Any]
    subject: Describe | None
    describe: Describe | None
    aliases: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Its name and the names it had before."""
        return (self.name, *self.aliases)


BATCH_LIMIT = 1000
"""Jobs under one token; more would only be given back."""

_NO_PLAIN_FUNCTION = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)

REGISTRY: dict[str, Kind] = {}
"""Every kind this process knows, by its name and its aliases."""


refused: list[tuple[str, str]] = []
"""Bad declarations as text and place, while `collect` is on."""
collect = False
"""Whether bad declarations are collected instead of raised: for `manage.py check`, which names them all."""


class JobFunction[**P, R](Protocol):
    """A decorated function: still callable, and a Celery task that writes rows."""

    name: str
    kind: Kind

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> JobHandle: ...

    def apply_async(self, args: None = None, kwargs: dict[str, Any] | None = None, **options: Any) -> JobHandle: ...

    def delay_many(self, calls: Iterable[dict[str, Any]], **options: Any) -> list[JobHandle]: ...


def job[**P, R](
    *,
    queue: str | None = None,
    name: str | None = None,
    priority: int = 5,
    max_attempts: int | None = None,
    backoff: float | None = None,
    backoff_max: float | None = None,
    timeout: float | None = None,
    batch: int = 1,
    subject: Describe | None = None,
    describe: Describe | None = None,
    aliases: Iterable[str] = (),
) -> Callable[[Callable[P, R]], JobFunction[P, R]]:
    """Make a module-level function a kind of job.

    The function takes keyword-only, annotated arguments and has a docstring that says why it is safe
    to run twice. Its name is `<package>.<function>` unless `name` is given; `aliases` are names under
    which rows of it may still exist. `priority` is 0 (first) to 9. `backoff` and `backoff_max` are the
    first and the longest delay between attempts, `timeout` the longest run, all in seconds.
    `batch` above 1 lets a worker take up to so many waiting jobs of the kind at once (jobs/fold.py): for short
    ones that come in crowds. Each still runs, ends and is retried for itself, but what a killed process had
    ended in its latest tenth of a second may run again. Not on a queue whose workers hold one message, as money's.
    `subject` and `describe` are called with the arguments when a job is enqueued and when it is shown.

    Raises BadDeclaration at import.
    """

    def declare_or_collect(function: Callable[P, R]) -> JobFunction[P, R]:
        try:
            return declare(function)
        except BadDeclaration as error:
            if not collect:
                raise
            refused.append((str(error), f"{function.__module__}.{function.__qualname__}"))
            return cast("JobFunction[P, R]", function)

    def declare(function: Callable[P, R]) -> JobFunction[P, R]:
        kind_name = name or _name_of(function)
        _check_function(kind_name, function)
        kind = Kind(
            name=kind_name,
            queue=_known_queue(kind_name, queue or settings.JOBS_DEFAULT_QUEUE),
            priority=priority,
            max_attempts=settings.JOBS_MAX_ATTEMPTS if max_attempts is None else max_attempts,
            backoff=settings.JOBS_BACKOFF if backoff is None else backoff,
            backoff_max=settings.JOBS_BACKOFF_MAX if backoff_max is None else backoff_max,
            timeout=settings.JOBS_TIMEOUT if timeout is None else timeout,
            batch=batch,
            arguments=Arguments(kind_name, function),
            function=function,
            subject=subject,
            describe=describe,
            aliases=tuple(aliases),
        )
        _check_numbers(kind)
        return cast("JobFunction[P, R]", _register(kind))

    return declare_or_collect


def _register(kind: Kind) -> Any:
    for name in kind.names:
        known = REGISTRY.get(name)
        if known and _place(known) != _place(kind):
            raise BadDeclaration(f"{name}: declared twice, in {_place(known)} and {_place(kind)}.")
    REGISTRY.update(dict.fromkeys(kind.names, kind))
    # The hard limit is the last resort, should a run hold the interpreter so that its own watch cannot stop it.
    hard = kind.timeout + settings.JOBS_LEASE + 15
    tasks = [
        shared_task(kind.function, base=JobTask, name=name, kind=kind, time_limit=hard, ignore_result=True)
        for name in kind.names
    ]
    return tasks[0]


def _place(kind: Kind) -> str:
    return f"{kind.function.__module__}.{kind.function.__qualname__}"


def _name_of(function: Callable[..., Any]) -> str:
    package = function.__module__.removesuffix(".tasks").rpartition(".")[2]
    return f"{package}.{function.__name__}"


def _check_function(kind: str, function: Callable[..., Any]) -> None:
    if "<locals>" in function.__qualname__ or "." in function.__qualname__:
        raise BadDeclaration(f"{kind}: a job is a function at module level, so that every worker can import it.")
    if any(is_one(function) for is_one in _NO_PLAIN_FUNCTION):
        raise BadDeclaration(f"{kind}: a job is a plain function, not a coroutine or generator.")
    if not (function.__doc__ or "").strip():
        raise BadDeclaration(f"{kind}: needs a docstring that says why it is safe to run twice.")


def _known_queue(kind: str, queue: str) -> str:
    if queue not in settings.JOBS_QUEUES:
        raise BadDeclaration(f"{kind}: {unknown_queue(queue)}")
    return queue


def unknown_queue(queue: str) -> str:
    """The sentence for a queue that does not exist."""
    near = get_close_matches(queue, settings.JOBS_QUEUES, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"unknown queue {queue!r}.{hint} Queues: {', '.join(settings.JOBS_QUEUES)}."


def _check_numbers(kind: Kind) -> None:
    if not 0 <= kind.priority <= 9:
        raise BadDeclaration(f"{kind.name}: priority is 0 (first) to 9 (last), got {kind.priority}.")
    if kind.max_attempts < 1:
        raise BadDeclaration(f"{kind.name}: max_attempts counts the first run too, so it is at least 1.")
    if kind.backoff < 0 or kind.backoff_max < 0 or kind.timeout <= 0:
        raise BadDeclaration(f"{kind.name}: backoff, backoff_max and timeout are seconds; timeout is above 0.")
    if not 1 <= kind.batch <= BATCH_LIMIT:
        raise BadDeclaration(f"{kind.name}: batch is 1 (each for itself) to {BATCH_LIMIT}, got {kind.batch}.")
    if kind.batch > 1 and settings.JOBS_QUEUES[kind.queue]["prefetch"] == 1:
        raise BadDeclaration(
            f"{kind.name}: batch={kind.batch} on queue {kind.queue}, whose workers hold one job at a time (prefetch 1)."
        )


def kind_of(name: str) -> Kind:
    """The kind by its name or an alias. Raises LookupError with a suggestion."""
    if name not in REGISTRY:
        near = get_close_matches(name, REGISTRY, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Kinds: {', '.join(sorted(REGISTRY)) or 'none'}."
        raise LookupError(f"unknown kind of job {name!r}. {hint}")
    return REGISTRY[name]
