"""Who a server runs as, and where its files may lie.

PostgreSQL refuses to run as root. Started by root, it runs as `nobody`; no user is added and no
folder above the data is opened for it. What that user cannot reach goes below /var/tmp, which
survives a reboot.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
import subprocess
import tempfile
from pathlib import Path

User = tuple[int, int]
"""(uid, gid)"""

PASSABLE = 0o711  # others may walk through to what they own, and list nothing


def unprivileged() -> User | None:
    """(uid, gid) of `nobody` when this process is root, None when it may run servers as itself.

    The account must be in the password file: initdb looks its name up.
    """
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def can_reach(user: User | None, path: Path) -> bool:
    """Whether `user` may read and enter `path`; asked of the kernel as that user, so that ACLs count."""
    if user is None:
        return os.access(path, os.R_OK | os.X_OK) if path.is_file() else os.access(path, os.X_OK)
    question = '[ -x "$1" ] && { [ -d "$1" ] || [ -r "$1" ]; }'
    uid, gid = user
    answer = subprocess.run(
        ["/bin/sh", "-c", question, "sh", str(path)], user=uid, group=gid, extra_groups=[], cwd="/", check=False
    )
    return answer.returncode == 0


def reachable_folder(wanted: Path, user: User | None) -> Path:
    """Make and return `wanted`, or where `user` cannot get there a folder below /var/tmp of the same identity.

    The same `wanted` always leads to the same folder. Raises PermissionError when the folder below
    /var/tmp is there already and belongs to somebody else.
    """
    wanted = wanted.absolute()
    nearest = next(folder for folder in (wanted, *wanted.parents) if folder.exists())
    if can_reach(user, nearest):
        return _make(wanted)
    return own_folder(f"contralock-{hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]}")


def own_folder(name: str) -> Path:
    """Make and return the folder `name` below /var/tmp; anybody may have made it before, so its owner is checked."""
    base = Path("/var/tmp")  # noqa: S108 - owner and kind are checked below
    folder = _make((base if base.is_dir() else Path(tempfile.gettempdir())) / name)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to somebody else; remove it")
    return folder


def _make(folder: Path) -> Path:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(PASSABLE)  # whatever the umask
    return folder
