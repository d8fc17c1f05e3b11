"""Free ports on loopback."""

from __future__ import annotations

import socket
from pathlib import Path

from contralock.local.ports import OURS, accepts, free_port, is_free


def test_a_port_is_given_once_and_lies_below_those_of_clients() -> None:
    given = [free_port() for _ in range(50)]
    assert len(set(given)) == 50
    clients = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if clients.exists():
        assert max(OURS) < int(clients.read_text().split()[0])


def test_the_preferred_port_is_given_unless_somebody_listens_on_it() -> None:
    wanted = free_port()
    with socket.create_server(("127.0.0.1", wanted)):
        assert not is_free(wanted)
        assert accepts(wanted)
        assert free_port(wanted) != wanted
    assert is_free(wanted)
    assert not accepts(wanted)
