"""Where settings come from: the process environment, then `.env`, then what `make run` started.

The file that `make run` writes names throw-away servers on loopback. It is read only where DEBUG
is not switched off, and its presence is what makes a checkout a development machine: a production
image never holds it, so DEBUG defaults to false there.
"""

from __future__ import annotations

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
RUN_ENV = BASE_DIR / ".local" / "run.env"
"""Written by `make run` while it is up, removed when it stops."""

DEVELOPMENT_SECRET = "development-only-secret-never-used-in-production-0123456789"  # noqa: S105 - refused below


def load() -> tuple[environ.Env, bool]:
    """Return the environment and whether this is a development machine (DEBUG).

    Raises ImproperlyConfigured when a production process lacks a secret of its own.
    """
    env = environ.Env()
    env.read_env(BASE_DIR / ".env")
    debug = env.bool("DEBUG", default=RUN_ENV.exists())
    if debug and RUN_ENV.exists():
        env.read_env(RUN_ENV)
    return env, debug


def secret_key(env: environ.Env, *, debug: bool) -> str:
    """SECRET_KEY from the environment; a fixed one in development only."""
    key = env.str("SECRET_KEY", default="")
    if debug:
        return key or DEVELOPMENT_SECRET
    if not key or key == DEVELOPMENT_SECRET:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. In production put a random one into the environment "
            "(python -c 'import secrets; print(secrets.token_urlsafe(50))'); "
            "on a development machine start `make run` first, or set DEBUG=true."
        )
    return key


def redis_url(env: environ.Env) -> str:
    """REDIS_URL, or the seed's REDIS_HOST, REDIS_PORT, REDIS_PASSWORD and REDIS_TLS put together."""
    if url := env.str("REDIS_URL", default=""):
        return url
    scheme = "rediss" if env.bool("REDIS_TLS", default=False) else "redis"
    password = env.str("REDIS_PASSWORD", default="")
    return environ_url(scheme, password, env.str("REDIS_HOST", default="localhost"), env.int("REDIS_PORT", default=6379))


def environ_url(scheme: str, password: str, host: str, port: int) -> str:
    """A Redis URL with the password quoted, so that any character may be in it."""
    from urllib.parse import quote

    login = f":{quote(password, safe='')}@" if password else ""
    return f"{scheme}://{login}{host}:{port}/0"
