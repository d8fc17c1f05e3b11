"""Who takes part, in the order of the table."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.contenders.base import Contender
from tests.benchmarks.contenders.bullmq import BullMQ, BullMQOnPostgres
from tests.benchmarks.contenders.celery_results import CeleryResults
from tests.benchmarks.contenders.celery_stock import CeleryStock
from tests.benchmarks.contenders.celery_tuned import CeleryTuned
from tests.benchmarks.contenders.contralock import ContraLock
from tests.benchmarks.contenders.contralock_fold import ContraLockFold
from tests.benchmarks.contenders.dramatiq import Dramatiq
from tests.benchmarks.servers import Servers

ALL: tuple[type[Contender], ...] = (
    ContraLock,
    ContraLockFold,
    CeleryStock,
    CeleryTuned,
    CeleryResults,
    Dramatiq,
    BullMQ,
    BullMQOnPostgres,
)
BASE = CeleryStock.name
"""Ratios are against this one, without events."""


def chosen(names: list[str] | None, servers: Servers, folder: Path) -> list[Contender]:
    """Those named, or all. `folder` takes logs."""
    return [kind(servers, folder) for kind in ALL if names is None or kind.name in names]
