"""Transactions that are repeated when PostgreSQL had to give one of two up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps

import psycopg
from django.db import OperationalError, connection, transaction

AGAIN = frozenset({"40P01", "40001"})
"""SQLSTATEs of a deadlock and of a failed serialization: nothing was done, and the same may be tried at once."""

TRIES = 5


def transaction_of_ours[T](work: Callable[[], T], *, savepoint: bool = True) -> T:
    """Run `work` in a transaction, again (five times at most) after a deadlock, if the transaction is ours.

    In a transaction that the caller opened it is run once: only the caller can begin again. There a savepoint
    lets the caller go on after an exception; without one (two round trips less) whatever is raised ends it.
    """
    if connection.in_atomic_block:
        with transaction.atomic(savepoint=savepoint):
            return work()
    for _ in range(TRIES - 1):
        try:
            with transaction.atomic():
                return work()
        except OperationalError as error:
            if not was_given_up(error):
                raise
            time.sleep(random.uniform(0.001, 0.02))  # noqa: S311 - so that the two do not meet again
    with transaction.atomic():
        return work()


def transactional[**P, T](work: Callable[P, T]) -> Callable[P, T]:
    """Let every call of a function be a transaction_of_ours."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return transaction_of_ours(lambda: work(*args, **kwargs))

    return run


def was_given_up(error: OperationalError) -> bool:
    """Whether PostgreSQL gave the transaction up, for another's sake: nothing of it was done."""
    return isinstance(error.__cause__, psycopg.Error) and error.__cause__.sqlstate in AGAIN
