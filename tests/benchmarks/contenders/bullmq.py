"""BullMQ, on Redis and on PostgreSQL: the job system of Node, which the seed used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.benchmarks.contenders.base import BENCH, Contender

SCRIPT = Path(__file__).parents[1] / "apps" / "bullmq.cjs"
NODE = BENCH / "node"
PACKAGES = ("bullmq@6", "ioredis@5", "pg@8")


def installed() -> str:
    """Install it by npm unless it is there; says why it is not to be had, or nothing."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "node and npm are not installed"
    if (NODE / "node_modules" / "bullmq").exists():
        return ""
    NODE.mkdir(parents=True, exist_ok=True)
    (NODE / "package.json").write_text('{"private": true}\n')
    argv = ["npm", "install", "--no-audit", "--no-fund", "--silent", *PACKAGES]
    done = subprocess.run(argv, check=False, cwd=NODE, capture_output=True, text=True, timeout=300)
    return f"npm install failed: {(done.stderr or done.stdout)[-300:]}" if done.returncode else ""


def version() -> str:
    """Of what is installed."""
    found: str = json.loads((NODE / "node_modules" / "bullmq" / "package.json").read_text())["version"]
    return found


class BullMQ(Contender):
    """One node process with four jobs at once, which is how it is run."""

    name = "bullmq"
    note = "one node process, concurrency 4 (JavaScript, no processes to feed)"
    backend = "redis"

    def missing(self) -> str:
        """Node is not among our own requirements."""
        return installed()

    def environment(self, **more: str) -> dict[str, str]:
        """Where its packages are."""
        named = {"NODE_PATH": str(NODE / "node_modules"), "BENCH_BACKEND": self.backend, "NODE_ENV": "production"}
        return super().environment(**named, **more)

    def driver_argv(self) -> list[str]:
        """The same script adds …"""
        return ["node", os.fspath(SCRIPT), "driver"]

    def worker_argv(self, events: str) -> list[str]:
        """… and works."""
        return ["node", os.fspath(SCRIPT), "worker"]


class BullMQOnPostgres(BullMQ):
    """The backend that came with version 6."""

    name = "bullmq-pg"
    database = "bullmq"
    note = "one node process, concurrency 4, on PostgreSQL"
    backend = "postgres"

    def missing(self) -> str:
        """Older versions know Redis only."""
        if reason := super().missing():
            return reason
        there = (NODE / "node_modules" / "bullmq" / "dist" / "cjs" / "postgres").exists()
        return "" if there else f"BullMQ {version()} has no PostgreSQL backend"

    def prepare(self) -> None:
        """It migrates by itself when it connects."""
        self.servers.postgres.create_database(self.database)

    def wipe(self) -> None:
        """Empty whatever tables it made, except its list of migrations."""
        with self.servers.connect(self.database) as connection:
            found = connection.execute(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
                "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename NOT LIKE '%migration%'"
            ).fetchall()
            if found:
                connection.execute(f"TRUNCATE {', '.join(name for (name,) in found)} CASCADE".encode())
