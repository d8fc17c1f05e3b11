"""A TCP wire to a server that can go dead without being cut, as a half-open link does."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

LOOPBACK = "127.0.0.1"


class Wire:
    """Forwards a port of its own to `target` on loopback."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._door = socket.create_server((LOOPBACK, 0))
        self.port: int = self._door.getsockname()[1]
        self._dead: set[socket.socket] = set()
        self._ends: set[socket.socket] = set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._door.close()
        for end in self._ends:
            end.close()

    def go_silent(self) -> int:
        """From now on every connection there is carries nothing, and nobody is told; new ones work. How many."""
        self._dead |= self._ends
        return len(self._dead) // 2

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the door was closed
            while True:
                near, _ = self._door.accept()
                far = socket.create_connection((LOOPBACK, self._target))
                self._ends |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source not in self._dead:
                    sink.sendall(data)
            if source not in self._dead:
                sink.shutdown(socket.SHUT_WR)
