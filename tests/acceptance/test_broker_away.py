"""Enqueuing while Redis is down or frozen: no error, one time-out at most, and everything runs when it is back."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest

from contralock.local.valkey import Valkey
from tests.acceptance.handlers import say
from tests.acceptance.history import completions, effects, wait_completed
from tests.nodes import BeatNode, WorkerNode


@pytest.mark.parametrize(("away", "back"), [("kill", "start"), ("pause", "resume")])
def test_enqueuing_goes_on_while_the_broker_is_away(
    away: str,
    back: str,
    worker: WorkerNode,
    beat: BeatNode,
    valkey: Valkey,
    figure: Callable[[str, object], None],
) -> None:
    wait_completed([say.delay(word="before")])
    getattr(valkey, away)()
    handles, seconds = [], []
    for number in range(30):
        began = time.monotonic()
        handles.append(say.delay(word=f"word {number}"))
        seconds.append(time.monotonic() - began)
    first, following = seconds[0], seconds[1:]
    figure(f"enqueue, broker {away}: first call (s)", round(first, 3))
    figure(f"enqueue, broker {away}: following calls, median and slowest (ms)", milliseconds(following))
    assert first < 1.5
    assert statistics.median(following) < 0.02
    assert {handle.state for handle in handles} == {"waiting"}
    getattr(valkey, back)()
    returned = time.monotonic()
    wait_completed(handles, limit=30)
    figure(f"enqueue, broker {away}: all run after its return (s)", round(time.monotonic() - returned, 2))
    assert completions(handle.id for handle in handles) == {"completed": 30}
    assert len(effects()) == 31


def milliseconds(seconds: list[float]) -> tuple[float, float]:
    return round(statistics.median(seconds) * 1000, 1), round(max(seconds) * 1000, 1)
