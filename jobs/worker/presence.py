"""A worker's row: who is alive, what it knows, whether it is leaving."""

from __future__ import annotations

import logging
import os
import socket
import threading
from typing import ClassVar

from django.conf import settings
from django.db import Error

from jobs.database import private_connection, rows
from jobs.kinds import REGISTRY
from jobs.version import VERSION
from jobs.worker.identity import boot

logger = logging.getLogger(__name__)

SEEN = """
INSERT INTO jobs_worker (id, name, host, pid, queues, kinds, concurrency, version, stopping)
VALUES (%(id)s, %(name)s, %(host)s, %(pid)s, %(queues)s, %(kinds)s, %(concurrency)s, %(version)s, %(stopping)s)
ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp(), stopping = excluded.stopping, stopped_at = NULL
"""
GONE = "UPDATE jobs_worker SET stopped_at = clock_timestamp(), stopping = true WHERE id = %(id)s"


class PresenceThread(threading.Thread):
    """Writes `seen_at` at every heartbeat interval, `stopping` at once when told."""

    running: ClassVar[PresenceThread | None] = None

    def __init__(self) -> None:
        super().__init__(name="presence", daemon=True)
        self._wake = threading.Event()
        self._over = False
        self._stopping = False
        PresenceThread.running = self

    def say_stopping(self) -> None:
        """Called in a signal handler: only sets flags. Running jobs are released at their next checkpoint."""
        self._stopping = True
        self._wake.set()

    def stop(self) -> None:
        """Write that the worker is gone, and end."""
        self._over = True
        self._wake.set()
        self.join(timeout=3)

    def run(self) -> None:
        """Until stopped."""
        own = private_connection(statement_timeout=2.0)
        while True:
            self._wake.clear()
            over = self._over
            try:
                rows(GONE if over else SEEN, self._params(), using=own)
            except Error as error:
                logger.warning("worker %s could not say that it is alive: %s", boot.name, error)
                own.close()
            if over:
                own.close()
                return
            self._wake.wait(settings.JOBS_HEARTBEAT)

    def _params(self) -> dict[str, object]:
        return {
            "id": boot.id,
            "name": boot.name,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "queues": list(boot.queues),
            "kinds": sorted(REGISTRY),
            "concurrency": boot.concurrency,
            "version": VERSION,
            "stopping": self._stopping,
        }
