"""Redis or Valkey: there, new enough, and set so that it keeps doorbells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from celery import current_app

from jobs import broker
from jobs.doctor.findings import Finding, fail, ok, warn

OLDEST = (6, 2)
LOOK = "See to it that appendonly is yes and maxmemory-policy is noeviction."
FULL = 0.8
"""Share of maxmemory from which on there is too little room."""


def check() -> Iterator[Finding]:
    """Stops when it is away."""
    where = current_app.connection_for_write().as_uri()  # without the password
    try:
        answered = broker.ping()
    except Exception as error:  # noqa: BLE001 - whatever the client raises, the broker is not to be had
        said = str(error).rstrip(".")
        yield fail(
            "broker",
            f"Redis at {where} is away",
            why=f"{type(error).__name__}: {said}. Jobs are written and wait; none runs until it is back.",
            todo="Start it, or set REDIS_URL.",
        )
        return
    facts = broker.facts()
    if not facts:
        yield ok("broker", f"Redis at {where} answers in {answered * 1000:.1f} ms")
        yield warn("broker", "cannot tell its version and settings: INFO is forbidden", todo=LOOK)
        return
    yield _version(facts, answered)
    yield from _keeping(facts)
    yield from _memory(facts)


def _version(facts: dict[str, Any], answered: float) -> Finding:
    valkey = facts.get("valkey_version")
    text = f"Valkey {valkey}" if valkey else f"Redis {facts.get('redis_version', 'of unknown version')}"
    numbers = tuple(int(n) for n in str(facts.get("redis_version", "")).split(".")[:2] if n.isdigit())
    if not valkey and numbers and numbers < OLDEST:
        return fail("broker", f"{text} is too old", todo="Upgrade to Redis 6.2 or newer, or Valkey.")
    return ok("broker", f"{text} answers in {answered * 1000:.1f} ms")


def _keeping(facts: dict[str, Any]) -> Iterator[Finding]:
    aof, policy = facts.get("aof_enabled"), facts.get("maxmemory_policy")
    if aof is None or policy is None:
        yield warn("broker", "cannot tell appendonly and maxmemory-policy: INFO does not say", todo=LOOK)
    if aof == 0:
        yield warn(
            "broker",
            "appendonly is no",
            why="A restart of it loses the doorbells; jobs are late then, though none is lost.",
            todo="CONFIG SET appendonly yes, and the same in its configuration file.",
        )
    if policy not in (None, "noeviction"):
        yield warn(
            "broker",
            f"maxmemory-policy is {policy}",
            why="When memory is short it drops doorbells without a word; those jobs are late.",
            todo="CONFIG SET maxmemory-policy noeviction, and the same in its configuration file.",
        )
    if aof == 1 and policy == "noeviction":
        yield ok("broker", "appendonly yes, maxmemory-policy noeviction")


def _memory(facts: dict[str, Any]) -> Iterator[Finding]:
    used, most = int(facts.get("used_memory", 0)), int(facts.get("maxmemory", 0))
    text = f"{used / 2**20:.0f} MiB used" + (f" of {most / 2**20:.0f}" if most else ", no maxmemory")
    if most and used > FULL * most:
        yield warn(
            "broker",
            text,
            why="When it is full it refuses doorbells; jobs wait then.",
            todo="Raise maxmemory, or see what else lives in it: the engine needs some MiB only.",
        )
    else:
        yield ok("broker", text)
