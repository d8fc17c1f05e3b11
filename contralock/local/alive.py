"""Who is alive: questions about processes that need not be our children."""

from __future__ import annotations

import subprocess
from pathlib import Path


def command_line(pid: int) -> str:
    """The command line of `pid`, words parted by spaces; empty when there is none (a zombie has none)."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    listed = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "" if "<defunct>" in listed.stdout else listed.stdout.strip()


def is_alive(pid: int) -> bool:
    """Whether `pid` runs; a zombie that nobody has fetched yet does not."""
    return bool(command_line(pid))
