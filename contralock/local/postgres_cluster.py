"""The data folder of a PostgreSQL: making it, and what an earlier life left in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from contralock.local.alive import command_line
from contralock.local.identity import User
from contralock.local.leash import leashed
from contralock.local.postgres_binaries import version
from contralock.local.waiting import wait_until

BUILTIN_LOCALE_SINCE = 17


class ServerFailed(RuntimeError):
    """A server did not come up; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class Cluster:
    """`data` as PostgreSQL's own folder, used by the programs in `bin`, run by `user` (None: ourselves)."""

    data: Path
    bin: Path
    user: User | None

    @property
    def exists(self) -> bool:
        """Whether it was made, to its end (initdb writes PG_VERSION early, so its last file is asked for)."""
        return (self.data / MADE).exists()

    def initialise(self, owner: str, password_file: Path, *, durable: bool) -> None:
        """Run initdb with `owner` as superuser. Raises ServerFailed with what it said."""
        shutil.rmtree(self.data, ignore_errors=True)  # what an interrupted one left
        self.data.mkdir(mode=0o700)
        if self.user:
            os.chown(self.data, *self.user)
        command = [
            *(f"{self.bin / 'initdb'}", "-D", f"{self.data}", "-U", owner, f"--pwfile={password_file}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions", *self._locale()),
            *(() if durable else ("--no-sync",)),
        ]
        made = subprocess.run(
            leashed(command, on_death=signal.SIGKILL, user=self.user),
            cwd="/",
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise ServerFailed(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")
        (self.data / MADE).touch()

    def refuse_other_version(self) -> None:
        """Raise ServerFailed when another major version made the folder."""
        kept, ours = int((self.data / "PG_VERSION").read_text().split(".")[0]), version(self.bin)
        if kept != ours:
            raise ServerFailed(f"{self.data} was made by PostgreSQL {kept}, {self.bin} is {ours}: remove that folder.")

    def end_stray(self, limit: float) -> None:
        """Remove a dead server's pid file; stop a living one, waiting `limit` seconds at most (TimeoutError).

        PostgreSQL itself believes the pid file when another process of its user has the number now.
        """
        pidfile = self.data / "postmaster.pid"
        if not pidfile.exists():
            return
        words = pidfile.read_text().split()
        pid = int(words[0]) if words else 0
        if not self._serves(pid):
            pidfile.unlink(missing_ok=True)
            return
        os.kill(pid, signal.SIGINT)
        wait_until(lambda: not self._serves(pid), limit=limit, what=f"end of the stray PostgreSQL {pid}")

    def _serves(self, pid: int) -> bool:
        return f"-D {self.data} " in command_line(pid)

    def _locale(self) -> list[str]:
        """Unicode's upper and lower case, byte order of sorting; newer ones need no locale of the system."""
        if version(self.bin) >= BUILTIN_LOCALE_SINCE:
            return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]


MADE = "contralock.made"


def environment() -> dict[str, str]:
    """What a server program gets: the caller's PG* variables and locale are none of its business."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
