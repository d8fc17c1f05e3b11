"""A PostgreSQL of one's own: on loopback, with a password, gone with its parent.

with Postgres(folder) as server:
    server.create_database("contralock")
    connect(server.url("contralock"))
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Literal, Self

import psycopg
from psycopg import sql

from contralock.local.identity import PASSABLE, reachable_folder, unprivileged
from contralock.local.leash import leashed
from contralock.local.ports import LOOPBACK, free_port
from contralock.local.postgres_binaries import find_bin
from contralock.local.postgres_cluster import Cluster, ServerFailed, environment
from contralock.local.secret import kept_secret

OWNER = "contralock"
Mode = Literal["smart", "fast", "immediate"]
SIGNALS: dict[Mode, signal.Signals] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
PATIENCE = 30.0  # seconds a start or a stop may take; crash recovery of a development database is within it


class Postgres:
    """One server over one data folder; the folder outlives it.

    `port`: a fixed one, else a free one is taken at the first start and kept over restarts.
    `durable=False` switches fsync off: a killed server still keeps every commit, a machine that
    loses power may not. `bin_dir` forces the programs (so does $CONTRALOCK_POSTGRES_BIN).
    Start it from a thread that stays: it is told to stop when that thread ends.
    """

    def __init__(
        self, data_dir: Path, *, port: int | None = None, durable: bool = True, bin_dir: Path | None = None
    ) -> None:
        self.user = unprivileged()
        self.bin = find_bin(self.user, bin_dir)
        self.folder = reachable_folder(Path(data_dir), self.user)
        self.data = self.folder / "data"
        self.log = self.folder / "postgres.log"
        self.durable = durable
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def throwaway(cls, *, bin_dir: Path | None = None) -> Self:
        """A server for tests in a new folder; `destroy()` removes it."""
        folder = Path(tempfile.mkdtemp(prefix="contralock-pg-"))
        folder.chmod(PASSABLE)
        return cls(folder, durable=False, bin_dir=bin_dir)

    @staticmethod
    def forget(data_dir: Path) -> None:
        """Remove what a stopped server kept for `data_dir`, wherever that is; no programs are needed."""
        shutil.rmtree(reachable_folder(Path(data_dir), unprivileged()), ignore_errors=True)

    # ------------------------------------------------------------ verbs
    def start(self) -> Self:
        """Start and wait for a real connection. Raises ServerFailed with the log's end."""
        if self.running:
            return self
        files = Cluster(self.data, self.bin, self.user)
        if not files.exists:
            self.password  # noqa: B018 - written now, initdb reads the file
            files.initialise(OWNER, self.folder / "password", durable=self.durable)
        files.refuse_other_version()
        files.end_stray(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while not self._launched(deadline):
            time.sleep(0.1)  # the children of a killed server have not left its shared memory yet
        return self

    def stop(self, mode: Mode = "fast") -> None:
        """Stop and wait; a server that does not obey within 30 s is killed."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(SIGNALS[mode])
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """SIGKILL, as the kernel does when memory is short; its children leave by themselves."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self, mode: Mode = "fast") -> Self:
        """Stop by `mode` and start again on the same port."""
        self.stop(mode)
        return self.start()

    def destroy(self) -> None:
        """Stop at once and remove the data."""
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ------------------------------------------------------------ questions
    @property
    def running(self) -> bool:
        """Whether the server process lives (not whether it answers)."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the server. Raises RuntimeError when it does not run."""
        if self._process is None or not self.running:
            raise RuntimeError("PostgreSQL does not run")
        return self._process.pid

    @property
    def password(self) -> str:
        """The owner's password: random, made once per data folder, readable for its owner only."""
        path = self.folder / "password"
        secret = kept_secret(path)
        if self.user:
            os.chown(path, *self.user)  # initdb reads it
        return secret

    def url(self, dbname: str = "postgres") -> str:
        """DATABASE_URL of `dbname` as the owner (a superuser of this server)."""
        return f"postgres://{OWNER}:{self.password}@{LOOPBACK}:{self.port}/{dbname}"

    def create_database(self, name: str) -> None:
        """Create the database `name` unless it is there."""
        with psycopg.connect(self.url(), autocommit=True, connect_timeout=5) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    # ------------------------------------------------------------ steps
    def _launched(self, deadline: float) -> bool:
        """Start once; False when it may be tried again, ServerFailed when that would not help."""
        begin = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                leashed(self._command(), on_death=signal.SIGINT, user=self.user),
                cwd="/",
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while self.running and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(0.03)
        self.kill()
        told = self.log.read_bytes()[begin:].decode(errors="replace")
        if "shared memory block" in told and time.monotonic() < deadline:
            return False
        raise ServerFailed(f"PostgreSQL did not start on port {self.port}: {told.strip()[-2000:]}")

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
        }
        if not self.durable:
            # synchronous_commit stays on: a killed server must not lose what it has confirmed.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [f"{self.bin / 'postgres'}", "-D", f"{self.data}", *options]

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url(), connect_timeout=2):
            return True
        return False
