"""Start a program that dies with its parent, and as another user when asked.

    python -I -S leash.py SIGNAL PARENT UID:GID|- program argument...

A wrapper and not a `preexec_fn`, because Python code between fork and exec may deadlock in a
process with threads. The order matters: Linux forgets PR_SET_PDEATHSIG when the user changes.
The signal comes when the *thread* that started the program ends, so start it from one that stays.
Standard library only, no project import: it runs before every server and must cost milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def leashed(argv: Sequence[str], *, on_death: signal.Signals, user: tuple[int, int] | None = None) -> list[str]:
    """The command line that runs `argv` and sends it `on_death` when the calling thread's process is gone.

    `user` is (uid, gid) to run as; None keeps the caller's. Outside Linux only the user is changed.
    """
    identity = "-" if user is None else f"{user[0]}:{user[1]}"
    wrapper = [sys.executable, "-I", "-S", __file__, str(int(on_death)), str(os.getpid()), identity]
    return [*wrapper, *argv]


def main(arguments: Sequence[str]) -> None:
    """Drop privileges, ask the kernel for the signal, become the program."""
    death_signal, parent, identity, program, *rest = arguments
    if identity != "-":
        uid, gid = (int(number) for number in identity.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent):  # it died before the request was in place
            sys.exit(1)
    os.execvp(program, [program, *rest])  # noqa: S606 - becoming the given program is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
