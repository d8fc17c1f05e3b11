"""What a handler says in its exceptions stays in the database."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from celery import current_app

from contralock.local.waiting import wait_until
from tests.acceptance.handlers import betray
from tests.acceptance.history import outcomes, wait_for_state
from tests.nodes import BeatNode, WorkerNode

SECRET = "DE02120300000000202051"


@contextmanager
def everything_redis_is_told() -> Iterator[list[str]]:
    """MONITOR, with bodies decoded (kombu sends them in base 64)."""
    heard: list[str] = []
    with current_app.connection_for_write() as broker, broker.default_channel.client.monitor() as monitor:

        def listen() -> None:
            for command in monitor.listen():
                text = command["command"]
                heard.append(text + "".join(decoded(text)))
                if "over and out" in text:
                    return

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        yield heard
        broker.default_channel.client.echo("over and out")
        listener.join(timeout=5)


def decoded(text: str) -> Iterator[str]:
    for found in re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", text):
        yield base64.b64decode(found + "=" * (-len(found) % 4)).decode(errors="replace")


def test_arguments_and_exception_texts_never_reach_redis(worker: WorkerNode, beat: BeatNode) -> None:
    with everything_redis_is_told() as heard:
        handle = betray.delay(secret=SECRET)
        row = wait_for_state(handle, "failed")
        wait_until(lambda: any("task-failed" in line for line in heard), limit=5, what="the events of the failure")
    assert outcomes(handle) == ["failed", "failed"]
    assert SECRET in row.error
    assert any("task-retried" in line for line in heard)
    assert any("RuntimeError" in line for line in heard)
    assert not [line for line in heard if SECRET in line]
