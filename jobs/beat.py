"""`celery -A contralock beat`: the scheduler that is also the keeper. Any number may run."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from celery.beat import Scheduler
from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection

from jobs import limits, schedules
from jobs.database import now as database_now
from jobs.maintenance import promote, pulse, reap, relay
from jobs.outcomes import lost_connection
from jobs.queues import end_pauses_once

logger = logging.getLogger(__name__)

AFTER_ERROR = 1.0
"""Seconds until the next try when PostgreSQL is away."""
AFTER_FULL_RING = 0.2
"""Seconds until the next look when a window was filled and workers eat fast."""
STATEMENT_TIMEOUT = 10_000
"""Milliseconds that any statement of the keeper may take: a stuck one must not stop the others for long."""


class KeeperScheduler(Scheduler):
    """Promotes, reaps, relays and fires schedules at each tick; holds nothing that a restart could lose.

    Celery makes the scheduler twice (once for the banner), so nothing starts before the first tick. It needs
    no producer: jobs are written as rows, and the base class's waits for ever for a broker that is down.
    """

    producer = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ticking = False
        self._stop_asked = False
        self._prepared = False
        self.max_interval = settings.JOBS_TICK

    def setup_schedule(self) -> None:
        """Nothing: schedules are read from the database at each tick."""

    def tick(self, *_: Any, **__: Any) -> float:
        """One look at everything; returns seconds until the next. Errors of the database never leave it."""
        self._prepare()
        self._ticking = True
        try:
            pause = keep_once()
        except Error as error:
            logger.warning("keeper: PostgreSQL is away: %s", error)
            connection.close()
            pause = AFTER_ERROR
        finally:
            self._ticking = False
        if self._stop_asked:
            raise SystemExit(0)
        return pause

    def should_sync(self) -> bool:
        """Never: there is nothing to write back."""
        return False

    def close(self) -> None:
        """Nothing to write; a signal may come in the middle of a statement, so no connection is touched."""

    @property
    def info(self) -> str:
        return "    . schedules -> PostgreSQL (django-celery-beat); keeper of jobs"

    def _prepare(self) -> None:
        if self._prepared:
            return
        self._prepared = True
        connection.settings_dict["OPTIONS"]["options"] = (
            f"-c statement_timeout={STATEMENT_TIMEOUT} -c lock_timeout=2000"
            # A keeper that is frozen in a transaction must not hold its locks against the others.
            f" -c idle_in_transaction_session_timeout={STATEMENT_TIMEOUT}"
        )
        connection.settings_dict["CONN_HEALTH_CHECKS"] = False
        connection.close()
        # Celery's own handler closes the scheduler on the very connection that the interrupted tick holds.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._asked_to_stop)
            signal.signal(signal.SIGINT, self._asked_to_stop)

    def _asked_to_stop(self, *_: Any) -> None:
        self._stop_asked = True
        if not self._ticking:
            raise SystemExit(0)


def keep_once() -> float:
    """All duties once; returns seconds until the next look. Raises what the database raises.

    A duty that fails otherwise is logged, and the others go on.
    """
    now = database_now()
    seen = pulse.begin(now)
    filled: list[bool] = []
    duties: dict[str, Callable[[], object]] = {
        "promote": lambda: promote.promote_once(now),
        "expire": lambda: promote.expire_once(now),
        "end pauses": lambda: end_pauses_once(now),
        "schedules": lambda: schedules.fire_once(now),
        "reap": lambda: reap.reap_once(now, not_before=seen.reap_after),
        "relay": lambda: filled.append(relay.relay_once(now, seen)),
    }
    for name, duty in duties.items():
        _do(name, duty)
    pulse.end()
    return _pause(now, soon=any(filled))


def _do(name: str, duty: Callable[[], object]) -> None:
    try:
        duty()
    except Exception as error:
        if isinstance(error, OperationalError | InterfaceError) and lost_connection(error):
            raise
        logger.exception("keeper: %s failed", name)


def _pause(now: datetime, *, soon: bool) -> float:
    """Until the next due row or slot, at most JOBS_TICK."""
    longest = AFTER_FULL_RING if soon else settings.JOBS_TICK
    moments = [m for m in (promote.next_due(), schedules.next_slot(now), limits.next_window()) if m is not None]
    if not moments:
        return longest
    left = (min(moments) - database_now()) / timedelta(seconds=1)
    return max(0.005, min(longest, left + 0.002))
