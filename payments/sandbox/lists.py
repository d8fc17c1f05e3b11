"""Lists: newest first, by cursor (docs.stripe.com/api/pagination)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from payments.sandbox.call import Call
from payments.sandbox.errors import invalid, no_such
from payments.sandbox.params import Params
from payments.sandbox.store import Record

LIMIT, MOST = 10, 100
Test = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    records: list[Record]
    has_more: bool


def page(
    call: Call, kind: str, *filters: str, records: Iterable[Record] | None = None, extra: Test | None = None
) -> Page:
    """The page the call asks for, of this account's records. `filters` are fields compared for equality."""
    params = call.params
    limit = params.integer("limit", minimum=1) or LIMIT
    if limit > MOST:
        raise invalid(f"This value must be less than or equal to {MOST}.", "limit", "parameter_invalid_integer")
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        raise invalid("You may only specify one of these parameters: starting_after, ending_before.")
    wanted = {name: params.text(name) for name in filters}
    in_time = _created(params)
    call.begin()
    found = call.store.newest_first(kind, call.account) if records is None else records
    fits = [
        one for one in found
        if in_time(one) and (extra is None or extra(one)) and all(
            value is None or one.data.get(name) == value for name, value in wanted.items())
    ]  # fmt: skip
    return _cut(call, kind, fits, limit, after=after, before=before)


def listing(kind: str, *filters: str) -> Callable[[Call], Page]:
    """An endpoint that lists this account's objects."""
    return lambda call: page(call, kind, *filters)


def _created(params: Params) -> Test:
    """The filter `created`: a time, or limits by gt, gte, lt, lte."""
    if not params.has("created") or isinstance(params.raw("created"), str):
        moment = params.integer("created", minimum=0)
        return lambda one: moment is None or one.data.get("created") == moment
    limits = params.section("created")
    gt, gte, lt, lte = (limits.integer(name, minimum=0) for name in ("gt", "gte", "lt", "lte"))

    def within(one: Record) -> bool:
        made = one.data["created"]
        return not (
            (gt is not None and made <= gt)
            or (gte is not None and made < gte)
            or (lt is not None and made >= lt)
            or (lte is not None and made > lte)
        )

    return within


def _cut(call: Call, kind: str, fits: list[Record], limit: int, *, after: str | None, before: str | None) -> Page:
    """`fits` runs newest first; the cursor need not be among it, only be an object of this kind."""
    cursor = after or before
    if cursor is None:
        return Page(fits[:limit], len(fits) > limit)
    stone = call.store.find(kind, cursor)
    if stone is None:
        raise no_such(kind, cursor, param="starting_after" if after else "ending_before")
    if after:
        older = [one for one in fits if one.order < stone.order]
        return Page(older[:limit], len(older) > limit)
    newer = [one for one in fits if one.order > stone.order]
    return Page(newer[-limit:], len(newer) > limit)
