"""What `make run` prints when everything is up."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contralock.local.prepare import OPERATOR

if TYPE_CHECKING:
    from contralock.local.stack import Stack


def table(stack: Stack, *, first_time: bool) -> str:
    """Addresses, the operator's login (its password only once), and how to stop."""
    rows = [
        ("Site", stack.site),
        ("Admin", f"{stack.site}/admin/"),
        ("Mails", stack.values.get("LOCAL_MAIL_URL") or f"sent by {os.environ.get('SMTP_HOST')}"),
        ("Flower", f"http://localhost:{stack.flower_port}"),
        ("Stripe", stack.values.get("STRIPE_API_BASE") or os.environ.get("STRIPE_API_BASE") or "Stripe itself"),
        ("PostgreSQL", _server("DATABASE_URL", stack)),
        ("Redis", _server("REDIS_URL", stack)),
        ("Login", _login(stack, first_time=first_time)),
    ]
    up = f"ContraLock is up after {time.monotonic() - stack.began:.1f} s. Ctrl-C stops it."
    lines = [f"  {name:<11} {value}" for name, value in rows]
    return "\n".join(["", stack.console.strong(up), *lines, ""])


def _login(stack: Stack, *, first_time: bool) -> str:
    kept = os.path.relpath(stack.password_file)
    if not stack.password_file.exists():
        return f"{OPERATOR}, with the password it already has in that database"
    if first_time:
        return f"{OPERATOR}  {stack.password_file.read_text().strip()}  (kept in {kept})"
    return f"{OPERATOR}, password in {kept}"


def _server(name: str, stack: Stack) -> str:
    """Host and port, never the password."""
    where = stack.values.get(name) or os.environ.get(name) or f"//{os.environ.get('REDIS_HOST', '')}"
    parts = urlsplit(where)
    started = "" if name in stack.values else " (yours)"
    return f"{parts.hostname}:{parts.port}{parts.path}{started}" if parts.port else f"{parts.hostname}{started}"
