"""What the keeper costs while nothing happens, with an empty table and with a long one."""

from __future__ import annotations

import time

from tests.benchmarks.contenders.contralock import ContraLock
from tests.benchmarks.processes import cpu_seconds

type Idle = dict[str, dict[str, float]]


def idle_cost(contender: ContraLock, waiting: int, *, seconds: float) -> Idle:
    """Percent of one CPU that keeper and PostgreSQL use with 0 and with `waiting` jobs, over so many seconds each.

    No worker lives meanwhile: the window is full and stays so, as with workers that are all busy.
    """
    found: Idle = {}
    for count in (0, waiting):
        contender.clean()
        if count:
            with contender.driver() as driver:
                driver.order("many", count)
        with contender.keeper() as keeper:
            assert keeper is not None
            time.sleep(2)  # past its start
            watched = {"keeper": keeper, "postgres": contender.servers.postgres.pid}
            before = {name: cpu_seconds(pid) for name, pid in watched.items()}
            began = time.monotonic()
            time.sleep(seconds)
            passed = time.monotonic() - began
            used = {name: (cpu_seconds(pid) - before[name]) / passed * 100 for name, pid in watched.items()}
            found[str(count)] = used
    contender.clean()
    return found
