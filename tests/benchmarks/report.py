"""Medians over the rounds, ratios against stock Celery, as text and as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.contenders import BASE
from tests.benchmarks.keeper import Idle
from tests.benchmarks.rounds import Figures

type Rounds = Sequence[Mapping[str, Figures]]

RATES = {
    "add_each": "add 1 by 1",
    "add_transaction": "in tx of 10",
    "add_many": "in bulk",
    "process_off": "work, ev. off",
    "process_on": "work, ev. on",
}
COSTS = {
    "p50": "p50",
    "p95": "p95",
    "p99": "p99 ms",
    "add_statements": "PG/add",
    "add_commands": "Redis/add",
    "statements": "PG/run",
    "commands": "Redis/run",
    "cpu_worker": "CPU worker",
    "cpu_keeper": "keeper",
    "cpu_postgres": "PG",
    "cpu_valkey": "Valkey",
    "memory": "MB",
}


def middle(rounds: Rounds, name: str, key: str) -> float | None:
    """The median over the rounds; None where the contender has no such figure."""
    found = [value for each in rounds if (value := _value(each.get(name, {}), key)) is not None]
    return median(found) if found else None


def ratio(rounds: Rounds, name: str, key: str) -> float | None:
    """The median of the rounds' own ratios to stock Celery; working with events is held against its rate without."""
    base = {"add_transaction": "add_each", "process_on": "process_off"}.get(key, key)
    found = [
        value / against
        for each in rounds
        if (value := _value(each.get(name, {}), key)) is not None
        and (against := _value(each.get(BASE, {}), base)) is not None
    ]
    return median(found) if found else None


def _value(figures: Figures, key: str) -> float | None:
    """Who has no events counts as without."""
    return figures.get(key, figures.get("process") if key == "process_off" else None)


def tables(rounds: Rounds, names: Sequence[str]) -> str:
    """Both tables: rates with ratios, and costs."""
    rates, costs = [["jobs/s (× stock Celery)", *RATES.values()]], [["per job", *COSTS.values()]]
    for name in names:
        rates.append([name, *(_rate(middle(rounds, name, key), ratio(rounds, name, key)) for key in RATES)])
        costs.append([name, *(_cost(middle(rounds, name, key)) for key in COSTS)])
    return f"{_aligned(rates)}\n\n{_aligned(costs)}"


def _rate(value: float | None, times: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" + (f" ({times:.2f})" if times is not None else "")


def _cost(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(row))
        for row in (zip(line, widths, strict=True) for line in lines)
    )


def idle_lines(idle: Idle) -> str:
    """The keeper's cost, a line for each number of waiting jobs."""
    return "\n".join(
        f"keeper with {int(waiting):,} waiting: {used['keeper']:.1f} % of a CPU, PostgreSQL {used['postgres']:.1f} %"
        for waiting, used in idle.items()
    )


def write(folder: Path, facts: Mapping[str, Any], rounds: Rounds, names: Sequence[str], idle: Idle) -> Path:
    """Write everything that was measured; returns the file."""
    path = folder / time.strftime("%Y-%m-%dT%H%M%S.json")
    keys = sorted({key for each in rounds for figures in each.values() for key in figures})
    medians = {name: {key: middle(rounds, name, key) for key in keys} for name in names}
    ratios = {name: {key: ratio(rounds, name, key) for key in RATES} for name in names}
    whole = {**facts, "keeper_idle": idle, "medians": medians, "ratios": ratios, "rounds": rounds}
    path.write_text(json.dumps(whole, indent=1) + "\n")
    return path
