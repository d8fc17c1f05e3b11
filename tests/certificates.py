"""Self-signed certificates for the tests of TLS."""

from __future__ import annotations

import subprocess
from pathlib import Path


def for_localhost(folder: Path) -> tuple[Path, Path]:
    """A certificate for the name localhost (not for 127.0.0.1), and its key."""
    crt, key = folder / "crt.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(crt)],
        check=True, capture_output=True,
    )  # fmt: skip
    return crt, key
