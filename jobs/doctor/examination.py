"""All checks in their order; what depends on something that is away is left out, and says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jobs.doctor import backlog, broker, database, fleet, roundtrip
from jobs.doctor.findings import Check, Finding, Level, fail, registered, warn


def examine(*, timeout: float) -> list[Finding]:
    """Make every check. The round trips take `timeout` seconds at most, side by side."""
    found = _made("database", database.check)
    rows_readable = not any(finding.level is Level.FAIL for finding in found)
    of_broker = _made("broker", broker.check)
    found += of_broker
    broker_there = not any(finding.level is Level.FAIL for finding in of_broker)
    if rows_readable:
        for name, check in _OF_ROWS.items():
            found += _made(name, check)
    for name, check in registered.items():
        found += _made(name, check)
    return found + _round_trips(rows_readable, broker_there, timeout)


_OF_ROWS: dict[str, Check] = {
    "keeper": fleet.keeper,
    "workers": fleet.workers,
    "versions": fleet.versions,
    "kinds": fleet.kinds,
    "pauses": backlog.pauses,
    "waiting": backlog.waiting,
    "stuck": backlog.stuck,
    "unknown": backlog.unknown,
}


def _round_trips(rows_readable: bool, broker_there: bool, timeout: float) -> list[Finding]:
    away = [name for name, there in (("PostgreSQL", rows_readable), ("the broker", broker_there)) if not there]
    if away:
        text = f"no round trip was made: {' and '.join(away)} must be well first"
        return [warn("round trip", text, todo="See above, then ask again.")]
    return _made("answers", fleet.answers) + _made("round trip", lambda: roundtrip.check(timeout=timeout))


def _made(name: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """A check's findings; that it could not be made is one too."""
    try:
        return list(check())
    except Exception as error:  # noqa: BLE001 - a doctor does not faint
        text = f"could not be examined: {type(error).__name__}: {error}".strip()
        return [fail(name, text, todo="Look at the findings above first; if they are good, this is a bug.")]
