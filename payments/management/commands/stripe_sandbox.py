"""`manage.py stripe_sandbox`: the local Stripe, with address, key and webhook secrets from the settings."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from payments.sandbox.__main__ import AUTOMATIC_SETTLEMENT, serve
from payments.sandbox.options import Options
from payments.sandbox.persistence import StateFileUnusable

LOCAL = ("127.0.0.1", "localhost")


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C."""

    help = "Run a Stripe on this machine, at STRIPE_API_BASE."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The options that are not settings."""
        parser.add_argument("--state", type=Path, help="file that keeps everything over a restart")
        parser.add_argument("--webhook", help="address of the platform's webhook endpoint")
        parser.add_argument("--connect-webhook", help="address of the endpoint for connected accounts")
        parser.add_argument("--manual", action="store_true", help="wait for /_test/advance instead of going on alone")

    def handle(self, *_: Any, **options: Any) -> None:
        """Serve."""
        base = urlsplit(settings.STRIPE_API_BASE)
        if base.hostname not in LOCAL or base.port is None:
            raise CommandError(
                f"STRIPE_API_BASE is {settings.STRIPE_API_BASE!r}: the local Stripe needs http://127.0.0.1 and a port."
            )
        if not (settings.STRIPE_WEBHOOK_SECRETS and settings.STRIPE_CONNECT_WEBHOOK_SECRETS):
            raise CommandError("Set STRIPE_WEBHOOK_SECRET and STRIPE_CONNECT_WEBHOOK_SECRET: webhooks are signed.")
        automatic = not options["manual"]
        chosen = Options(
            base.port, frozenset({settings.STRIPE_SECRET_KEY}), options["state"], options["webhook"],
            settings.STRIPE_WEBHOOK_SECRETS[0], options["connect_webhook"], settings.STRIPE_CONNECT_WEBHOOK_SECRETS[0],
            automatic, {"settlement_seconds": AUTOMATIC_SETTLEMENT} if automatic else {},
        )  # fmt: skip
        try:
            asyncio.run(serve(chosen))
        except (StateFileUnusable, OSError, ValueError) as error:
            raise CommandError(f"The local Stripe could not start: {error}") from error
