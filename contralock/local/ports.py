"""Free ports on loopback."""

from __future__ import annotations

import contextlib
import random
import socket

LOOPBACK = "127.0.0.1"
OURS = range(15_000, 32_000)
"""Below the ports the kernel gives to clients, so that no connection takes one between choice and use."""

_given: set[int] = set()


def free_port(preferred: int | None = None) -> int:
    """Return a TCP port nobody listens on: `preferred` when it is free, else one of `OURS`, none twice per process.

    The port is not reserved: whoever binds it late must be ready to find it taken.
    Raises OSError when a hundred guesses were all taken.
    """
    guesses = [random.choice(OURS) for _ in range(100)]  # noqa: S311 - a port is no secret
    if preferred is not None:
        guesses.insert(0, preferred)
    for port in guesses:
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise OSError(f"no free port found on {LOOPBACK}")


def is_free(port: int) -> bool:
    """Whether `port` can be bound on loopback now (a closing connection on it does not count)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def accepts(port: int, *, timeout: float = 0.5) -> bool:
    """Whether somebody accepts connections on loopback `port` (`timeout` in seconds)."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=timeout):
        return True
    return False
