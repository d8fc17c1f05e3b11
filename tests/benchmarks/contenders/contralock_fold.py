"""ContraLock with a kind that declares `batch=`: many jobs under one doorbell, each a row with its own attempt."""

from __future__ import annotations

from tests.benchmarks.contenders.contralock import ContraLock


class ContraLockFold(ContraLock):
    """Every job a row, worked off in folds."""

    name = "contralock-fold"
    app = "tests.benchmarks.apps.contralock_fold_app"
    transactions = False
    share = 5.0
    note = "the same for a kind with batch=100: doorbells, claims and finishes are shared"
