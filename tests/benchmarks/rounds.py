"""One round of one contender: every measure once, each on emptied servers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles

from tests.benchmarks.contenders.base import Contender
from tests.benchmarks.driver import PER_TRANSACTION
from tests.benchmarks.processes import Driver, Spawned, cpu_seconds, memory

type Figures = dict[str, float]

WARM = 0.1
"""Share of a backlog that is worked off before costs per job are counted, so that starting is not among them."""
PATIENCE = 180.0
"""Seconds without a single further job until a worker counts as stuck."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Jobs per measure."""

    each: int
    bulk: int
    backlog: int
    samples: int


def measure(contender: Contender, sizes: Sizes) -> Figures:
    """Adding, working off a backlog, and latency. Rates are jobs/s, times ms, memory MB."""
    figures: Figures = {}
    count = round(sizes.backlog * contender.share)
    with contender.driver() as driver:
        figures |= _adding(contender, driver, sizes)
        for turn, events in enumerate(contender.events):
            contender.clean()
            with contender.keeper() as keeper:
                driver.order("many", count)
                with contender.worker(events) as worker:
                    found = _backlog(contender, worker, keeper, count)
                    figures[f"process{'_' + events if events else ''}"] = found.pop("rate")
                    if turn == 0:
                        figures |= found | {"memory": memory(worker.pid)}
                        figures |= _latency(contender, driver, sizes.samples)
    return figures


def _adding(contender: Contender, driver: Driver, sizes: Sizes) -> Figures:
    contender.clean()
    driver.order("each", PER_TRANSACTION)  # connections are made, statements known
    before = _counts(contender)
    seconds = driver.order("each", sizes.each)["seconds"]
    after = _counts(contender)
    figures = {
        "add_each": sizes.each / seconds,
        "add_statements": (after.statements - before.statements) / sizes.each,
        "add_commands": (after.commands - before.commands) / sizes.each,
    }
    if contender.transactions:
        contender.clean()
        figures["add_transaction"] = sizes.each / driver.order("transactions", sizes.each)["seconds"]
    contender.clean()
    figures["add_many"] = sizes.bulk / driver.order("many", sizes.bulk)["seconds"]
    return figures


@dataclass(frozen=True)
class _Counts:
    """What servers and processes have spent so far; seconds."""

    done: int
    statements: int
    commands: int
    postgres: float
    valkey: float
    worker: float
    keeper: float


def _counts(contender: Contender, worker: Spawned | None = None, keeper: int | None = None) -> _Counts:
    servers = contender.servers
    return _Counts(
        done=servers.marked(),
        statements=servers.statements(contender.database) if contender.database else 0,
        commands=servers.commands(),
        postgres=cpu_seconds(servers.postgres.pid),
        valkey=cpu_seconds(servers.valkey.pid),
        worker=cpu_seconds(worker.pid) if worker else 0.0,
        keeper=cpu_seconds(keeper) if keeper else 0.0,
    )


def _backlog(contender: Contender, worker: Spawned, keeper: int | None, count: int) -> Figures:
    _wait(contender, worker, lambda done: done >= count * WARM)
    before = _counts(contender, worker, keeper)
    _wait(contender, worker, lambda done: done >= count)
    after = _counts(contender, worker, keeper)
    first, last = contender.span(count)
    jobs = after.done - before.done
    return {
        "rate": (count - 1) / (last - first),
        "statements": (after.statements - before.statements) / jobs,
        "commands": (after.commands - before.commands) / jobs,
        "cpu_worker": (after.worker - before.worker) / jobs * 1000,
        "cpu_keeper": (after.keeper - before.keeper) / jobs * 1000,
        "cpu_postgres": (after.postgres - before.postgres) / jobs * 1000,
        "cpu_valkey": (after.valkey - before.valkey) / jobs * 1000,
    }


def _latency(contender: Contender, driver: Driver, samples: int) -> Figures:
    contender.servers.redis.delete("bench:started")
    driver.order("latency", 20)  # everything is awake
    ordered = sorted(driver.order("latency", samples)["ms"])
    cuts = quantiles(ordered, n=100, method="inclusive")
    return {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}


def _wait(contender: Contender, worker: Spawned, enough: Callable[[int], bool]) -> None:
    seen, since = -1, time.monotonic()
    while not enough(done := contender.servers.marked()):
        worker.check()
        if done != seen:
            seen, since = done, time.monotonic()
        if time.monotonic() - since > PATIENCE:
            raise TimeoutError(f"{contender.name}: stuck at {done} jobs")
        time.sleep(0.02)
