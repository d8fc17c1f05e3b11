"""Free ports on loopback."""

from __future__ import annotations

import contextlib
import socket

LOOPBACK = "127.0.0.1"


def free_port(preferred: int | None = None) -> int:
    """Return a TCP port nobody listens on: `preferred` when it is free, else one the kernel picks.

    The port is not reserved: whoever binds it late must be ready to find it taken.
    """
    if preferred is not None and is_free(preferred):
        return preferred
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


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
