"""What may be chosen about `make run`, by flag or by environment variable."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass

PORTS = {
    "port": ("the site (default: 8000, else a free one)", "PORT"),
    "mail_port": ("the page with the mails", "MAIL_PORT"),
    "smtp_port": ("the mail catcher's SMTP", "MAIL_SMTP_PORT"),
    "stripe_port": ("the local Stripe", "STRIPE_PORT"),
    "flower_port": ("Flower", "FLOWER_PORT"),
    "postgres_port": ("the started PostgreSQL", "POSTGRES_PORT"),
    "redis_port": ("the started Valkey", "VALKEY_PORT"),
}


@dataclass(frozen=True)
class Options:
    """A port of None means: a free one."""

    port: int | None = None
    mail_port: int | None = None
    smtp_port: int | None = None
    stripe_port: int | None = None
    flower_port: int | None = None
    postgres_port: int | None = None
    redis_port: int | None = None
    fresh: bool = False
    demo: bool = True

    def ports(self) -> list[int]:
        """The ports that were chosen."""
        return [port for name in PORTS if (port := getattr(self, name)) is not None]


def parse(arguments: Sequence[str]) -> tuple[str, Options]:
    """The verb (`run`, `demo` or `clean`) and its options; exits with usage on anything else."""
    parser = argparse.ArgumentParser(prog="python -m contralock.local", description="ContraLock on this machine.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="start everything; Ctrl-C stops it")
    verbs.add_parser("demo", help="register a demo person at a running site and follow the mail")
    verbs.add_parser("clean", help="remove the data of earlier runs")
    for name, (what, variable) in PORTS.items():
        flag = f"--{name.replace('_', '-')}"
        run.add_argument(flag, type=_port, default=os.environ.get(variable), help=f"port of {what} (${variable})")
    data = run.add_mutually_exclusive_group()
    data.add_argument("--keep", action="store_true", help="keep the data of the last run (this is the default)")
    data.add_argument("--fresh", action="store_true", help="begin with empty data")
    run.add_argument("--no-demo", dest="demo", action="store_false", help="register no demo person on a first run")
    chosen = vars(parser.parse_args(arguments))
    verb = chosen.pop("verb")
    chosen.pop("keep", None)
    return verb, Options(**chosen)


def _port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port (1 to 65535)")
    return number
