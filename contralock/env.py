"""Where settings come from: the process environment, then `.env`, then what `make run` started.

The file that `make run` writes names throw-away servers on loopback. It is read only where DEBUG
is not switched off, and its presence is what makes a checkout a development machine: a production
image never holds it, so DEBUG defaults to false there.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
RUN_ENV = BASE_DIR / ".local" / "run.env"
"""Written by `make run` while it is up, removed when it stops."""

DOT_ENV = BASE_DIR / ".env"

DEVELOPMENT_SECRET = "development-only-secret-never-used-in-production-0123456789"  # noqa: S105 - refused below


def load() -> tuple[environ.Env, bool]:
    """Return the environment and whether this is a development machine (DEBUG).

    Raises ImproperlyConfigured when a production process lacks a secret of its own.
    """
    env = environ.Env()
    files = not env.bool("IGNORE_ENV_FILES", default=False)  # tests name all they need themselves
    if files and DOT_ENV.exists():
        env.read_env(DOT_ENV)
    debug = env.bool("DEBUG", default=files and RUN_ENV.exists())
    if files and debug and RUN_ENV.exists():
        env.read_env(RUN_ENV)
    return env, debug


def secret_key(env: environ.Env, *, debug: bool) -> str:
    """SECRET_KEY from the environment; a fixed one in development only."""
    key: str = env.str("SECRET_KEY", default="")
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
    url: str = env.str("REDIS_URL", default="")
    if url:
        return url
    scheme = "rediss" if env.bool("REDIS_TLS", default=False) else "redis"
    password = env.str("REDIS_PASSWORD", default="")
    login = f":{quote(password, safe='')}@" if password else ""
    return f"{scheme}://{login}{env.str('REDIS_HOST', default='localhost')}:{env.int('REDIS_PORT', default=6379)}/0"
