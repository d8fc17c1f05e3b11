"""The options of one enqueue, and a sentence for each that is refused."""

from __future__ import annotations

import re
from dataclasses import field, fields
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from django.conf import settings
from pydantic import ValidationError
from pydantic.dataclasses import dataclass

if TYPE_CHECKING:
    from jobs.kinds import Kind


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class InvalidOptions(ValueError):
    """An option that does not exist, does not fit, or that a durable job cannot honour; nothing was written."""


_REFUSED = dict.fromkeys(
    ("link", "link_error", "chain", "chord", "group_id", "group_index", "callbacks", "errbacks"),
    "Celery's canvas (chain, group, chord, link) keeps its plan in Redis, where it can be lost. "
    "Enqueue the next job from the handler, in the transaction that ends this one",
) | {
    "task_id": "the job's id is made by the engine; use unique_key to enqueue once",
    "retries": "retries are declared: @job(max_attempts=…, backoff=…)",
    "time_limit": "the longest run is declared: @job(timeout=…)",
    "soft_time_limit": "the longest run is declared: @job(timeout=…)",
}
# What Celery's own callers (Flower, signatures) pass along, and what means nothing to a row.
_IGNORED = frozenset({"producer", "connection", "headers", "publisher", "add_to_parent", "root_id", "parent_id"})


@dataclass(frozen=True, kw_only=True, config={"strict": True, "allow_inf_nan": False})
class Options:
    """How one job is to be enqueued. Times are seconds from now, or aware datetimes."""

    countdown: float | None = None
    eta: datetime | None = None
    expires: float | datetime | None = None
    priority: int | None = None
    queue: str | None = None
    unique_key: str | None = None
    """At most one unfinished job has this key; who comes later is given that one."""
    unique_for: float | None = None
    """With unique_key: the key holds for this many seconds instead, whatever becomes of the job."""
    concurrency_key: str | None = None
    """At most one job with this key runs at a time."""
    subject: str | None = None
    tags: tuple[str, ...] = ()
    by: str = ""
    trace: str = ""
    schedule_id: int | None = None
    slot: datetime | None = None
    as_given: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, kind: Kind, given: dict[str, Any]) -> Options:
        """Check what a caller gave. Raises InvalidOptions in words."""
        known = {f.name for f in fields(cls)} - {"as_given"}
        kept = {name: value for name, value in given.items() if value is not None and name not in _IGNORED}
        if run_by_hand := kept.pop("periodic_task_name", None):  # "run now" in the schedules' admin
            kept["by"] = f"schedule:{run_by_hand} (by hand)"[:200]
        for name in kept.keys() - known:
            raise InvalidOptions(f"{kind.name}: option {name!r} is refused: {_reason(name, known)}.")
        if not isinstance(kept.get("tags", ""), str):
            kept["tags"] = tuple(kept["tags"])
        shown = {name: value for name, value in kept.items() if name not in ("by", "trace", "schedule_id", "slot")}
        try:
            options = cls(
                **kept, as_given={n: v.isoformat() if isinstance(v, datetime) else v for n, v in shown.items()}
            )
        except ValidationError as error:
            wrong = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors(include_url=False))
            raise InvalidOptions(f"{kind.name}: {wrong}.") from None
        options._check(kind)
        return options

    def is_later(self, now: datetime) -> bool:
        """Whether the job is to wait for its time."""
        return (self.countdown or 0) > 0 or (self.eta is not None and self.eta > now)

    @property
    def expiry(self) -> tuple[float | None, datetime | None]:
        """`expires` as (seconds from now, moment); at most one is set."""
        return (None, self.expires) if isinstance(self.expires, datetime) else (self.expires, None)

    def _check(self, kind: Kind) -> None:
        from jobs.kinds import unknown_queue

        for problem, text in (
            (self.countdown is not None and self.eta is not None, "give countdown or eta, not both"),
            (self.countdown is not None and not 0 <= self.countdown < 1e10, "countdown is seconds from now, 0 or more"),
            (
                any(isinstance(m, datetime) and m.tzinfo is None for m in (self.eta, self.expires)),
                "eta and expires must be aware datetimes (django.utils.timezone.now() + …)",
            ),
            (isinstance(self.expires, int | float) and self.expires <= 0, "expires is seconds from now, above 0"),
            (self.priority is not None and self.priority not in range(10), "priority is 0 (first) to 9 (last)"),
            (
                self.queue is not None and self.queue not in settings.JOBS_QUEUES,
                unknown_queue(str(self.queue)).rstrip("."),
            ),
            (self.unique_for is not None and self.unique_key is None, "unique_for needs a unique_key"),
            (self.unique_for is not None and self.unique_for <= 0, "unique_for is seconds, above 0"),
            (
                any(len(key or "") > 200 for key in (self.unique_key, self.concurrency_key)),
                "a key has at most 200 characters",
            ),
            (any(len(tag) > 50 for tag in self.tags), "a tag has at most 50 characters"),
            (
                any(
                    _UNSTORABLE.search(t or "")
                    for t in (self.unique_key, self.concurrency_key, self.subject, *self.tags)
                ),
                "PostgreSQL stores neither NUL characters nor lone surrogates",
            ),
            ("" in (self.unique_key, self.concurrency_key), "an empty key is a mistake; leave the option out"),
        ):
            if problem:
                raise InvalidOptions(f"{kind.name}: {text}.")


def _reason(name: str, known: set[str]) -> str:
    if name in _REFUSED:
        return _REFUSED[name]
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there is {', '.join(sorted(known))}"
