"""The bench's own PostgreSQL and Valkey, started by our launchers and the same for every contender."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import redis  # noqa: TID251 - the bench measures with it, beside what it measures

from contralock.local.identity import PASSABLE
from contralock.local.postgres import Postgres
from contralock.local.valkey import Valkey
from tests.benchmarks.apps.mark import STARTED

_CALLS = """
SELECT COALESCE(sum(calls), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
WHERE d.datname = %s AND toplevel
"""


@dataclass(frozen=True)
class Servers:
    """Both servers, running; PostgreSQL flushes every commit to disk, Valkey its file every second."""

    postgres: Postgres
    valkey: Valkey

    @cached_property
    def redis(self) -> redis.Redis:
        """The bench's own connection to Valkey."""
        return redis.Redis.from_url(self.valkey.url)

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """A connection to PostgreSQL, in autocommit."""
        return psycopg.connect(self.postgres.url(database), autocommit=True)

    @cached_property
    def admin(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The bench's own connection to PostgreSQL; its statements count for the database `postgres` only."""
        return self.connect()

    def empty_redis(self) -> None:
        """Remove all keys."""
        self.redis.flushall()

    def marked(self) -> int:
        """Handlers that were started since Redis was emptied."""
        return int(self.redis.llen(STARTED))

    def marks(self) -> list[float]:
        """When handlers were started (seconds, wall clock), in order."""
        return sorted(float(mark) for mark in self.redis.lrange(STARTED, 0, -1))

    def statements(self, database: str) -> int:
        """Statements that clients have sent to this database so far: round trips to PostgreSQL."""
        row = self.admin.execute(_CALLS, [database]).fetchone()
        return int(row[0]) if row else 0

    def commands(self) -> int:
        """Redis commands so far, those in scripts included, without the handlers' marks and the bench's own."""
        stats: Mapping[str, Mapping[str, int]] = self.redis.info("commandstats")
        ours = {"cmdstat_rpush", "cmdstat_llen", "cmdstat_info"}
        return sum(stat["calls"] for name, stat in stats.items() if name not in ours)

    def versions(self) -> dict[str, str]:
        """What runs."""
        row = self.admin.execute("SHOW server_version").fetchone()
        info: Any = self.redis.info("server")
        return {
            "postgresql": str(row[0]) if row else "?",
            info.get("server_name", "redis"): info.get("valkey_version") or info["redis_version"],
        }


@contextmanager
def started() -> Iterator[Servers]:
    """Start both in new folders; stop and remove them afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="contralock-pg-"))
    folder.chmod(PASSABLE)
    postgres, valkey = Postgres(folder), Valkey.throwaway()
    try:
        postgres.start()
        valkey.start()
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
            connection.execute("ALTER SYSTEM SET pg_stat_statements.max = 10000")
        postgres.restart()
        servers = Servers(postgres, valkey)
        servers.admin.execute("CREATE EXTENSION pg_stat_statements")
        yield servers
    finally:
        postgres.destroy()
        valkey.destroy()
