"""python -m payments.sandbox --port 0 --state FILE --webhook URL --connect-webhook URL --auto

Prints one line with its address when it listens; SIGTERM or SIGINT stops it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from payments.sandbox.options import CONNECT_SECRET, KEY, SECRET, Options
from payments.sandbox.persistence import StateFileUnusable
from payments.sandbox.server import Server

AUTOMATIC_SETTLEMENT = 2  # seconds: a developer does not wait two days


async def serve(options: Options) -> None:
    """Run until SIGTERM or SIGINT. Raises OSError when the port is taken, StateFileUnusable for a bad state file."""
    server = Server(options)
    stop = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    await server.start()
    print(f"Local Stripe on {server.url}", flush=True)  # noqa: T201 - the line its starter waits for
    await stop.wait()
    await server.stop()


def read(arguments: list[str] | None = None) -> Options:
    """The options on the command line."""
    parser = argparse.ArgumentParser(prog="python -m payments.sandbox", description="A Stripe on this machine.")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--state", type=Path, help="file that keeps everything over a restart")
    parser.add_argument("--key", action="append", help=f"API key that is accepted (repeatable; {KEY})")
    parser.add_argument("--webhook", help="address of the platform's webhook endpoint")
    parser.add_argument("--secret", default=SECRET)
    parser.add_argument("--connect-webhook", help="address of the endpoint for connected accounts")
    parser.add_argument("--connect-secret", default=CONNECT_SECRET)
    parser.add_argument("--auto", action="store_true", help="payouts, refunds and settlement go on by themselves")
    parser.add_argument("--settings", type=json.loads, default={}, help="as POST /_test/settings takes them")
    given = parser.parse_args(arguments)
    settled = {"settlement_seconds": AUTOMATIC_SETTLEMENT} if given.auto else {}
    return Options(
        given.port, frozenset(given.key or [KEY]), given.state, given.webhook, given.secret, given.connect_webhook,
        given.connect_secret, given.auto, settled | given.settings,
    )  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 stopped, 1 could not start."""
    options = read(arguments)
    try:
        asyncio.run(serve(options))
    except (StateFileUnusable, OSError, ValueError) as error:
        print(f"The local Stripe could not start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
