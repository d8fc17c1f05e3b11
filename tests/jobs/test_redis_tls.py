"""TLS to the broker: a real handshake before a real Valkey."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from contralock.local.valkey import Valkey
from tests import certificates

ASK = """
from contralock.celery import app
with app.connection_for_write() as broker:
    print(broker.default_channel.client.ping())
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for localhost, and its key."""
    return certificates.for_localhost(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_port(certificate: tuple[Path, Path], valkey_server: Valkey) -> Iterator[int]:
    """The port of a TLS door before Valkey."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=_welcome, args=(door, context, valkey_server.port), daemon=True).start()
        yield door.getsockname()[1]


def _welcome(door: socket.socket, context: ssl.SSLContext, target: int) -> None:
    while True:
        try:
            plain, _ = door.accept()
        except OSError:
            return
        try:
            guest = context.wrap_socket(plain, server_side=True)
        except (ssl.SSLError, OSError):
            continue
        valkey = socket.create_connection(("127.0.0.1", target))
        for source, sink in ((guest, valkey), (valkey, guest)):
            threading.Thread(target=_carry, args=(source, sink), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass


def ask(valkey: Valkey, *, host: str, port: int, **env: str) -> subprocess.CompletedProcess[str]:
    """Ping the broker from a process with the seed's variables."""
    named = {
        "REDIS_HOST": host,
        "REDIS_PORT": str(port),
        "REDIS_PASSWORD": urlsplit(valkey.url).password or "",
        "REDIS_TLS": "true",
    }
    kept = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    return subprocess.run(
        [sys.executable, "-c", ASK], env=kept | named | env, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_certificate_of_a_known_authority_is_taken(
    tls_port: int, valkey_server: Valkey, certificate: tuple[Path, Path]
) -> None:
    answer = ask(valkey_server, host="localhost", port=tls_port, REDIS_TLS_CA=str(certificate[0]))
    assert answer.stdout.strip() == "True", answer.stderr


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_port: int, valkey_server: Valkey) -> None:
    answer = ask(valkey_server, host="localhost", port=tls_port)
    assert answer.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in answer.stderr


def test_a_certificate_for_another_host_is_refused(
    tls_port: int, valkey_server: Valkey, certificate: tuple[Path, Path]
) -> None:
    answer = ask(valkey_server, host="127.0.0.1", port=tls_port, REDIS_TLS_CA=str(certificate[0]))
    assert answer.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in answer.stderr


def test_only_an_explicit_setting_takes_any_certificate(tls_port: int, valkey_server: Valkey) -> None:
    answer = ask(valkey_server, host="localhost", port=tls_port, REDIS_TLS_VERIFY="false")
    assert answer.stdout.strip() == "True", answer.stderr
