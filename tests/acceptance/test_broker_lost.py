"""Redis may be killed, wiped or away: jobs are rows, and what was rung into the void is rung again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from celery import current_app

from contralock.local.valkey import Valkey
from contralock.local.waiting import wait_until
from jobs.models import Job
from tests.acceptance.handlers import hold, say
from tests.acceptance.history import completions, effects, wait_completed, wait_for_effect
from tests.nodes import BeatNode, WorkerNode

BACKLOG = 300


def wipe(valkey: Valkey) -> None:
    with current_app.connection_for_write() as broker:
        broker.default_channel.client.flushall()


def kill_and_restart(valkey: Valkey) -> None:
    valkey.kill()
    valkey.start()


@pytest.mark.parametrize("disaster", [wipe, kill_and_restart])
def test_a_backlog_survives_the_broker_and_nothing_runs_twice(
    disaster: Callable[[Valkey], None], start_worker: Callable[..., WorkerNode], beat: BeatNode, valkey: Valkey
) -> None:
    start_worker(concurrency=2)
    blocks = [hold.delay(seconds=1.0, word=f"block {n}") for n in range(2)]
    wait_for_effect("block 0 begins")
    wait_for_effect("block 1 begins")
    backlog = say.delay_many([{"word": f"word {n}"} for n in range(BACKLOG)])
    disaster(valkey)
    more = [say.delay(word=f"more {n}") for n in range(5)]
    wait_completed([*blocks, *backlog, *more], limit=40)
    said = [word for word in effects() if word.startswith(("word", "more"))]
    assert len(said) == len(set(said)) == BACKLOG + 5
    assert completions(handle.id for handle in (*blocks, *backlog, *more)) == {"completed": BACKLOG + 7}


def test_jobs_enqueued_between_two_breakdowns_in_a_row_all_run(
    worker: WorkerNode, beat: BeatNode, valkey: Valkey
) -> None:
    handles = []
    for number in range(3):
        kill_and_restart(valkey)
        handles += [say.delay(word=f"{number}.{n}") for n in range(10)]
    wait_completed(handles, limit=30)
    assert len(effects()) == len(set(effects())) == 30
    wait_until(lambda: not Job.objects.exclude(state="completed").exists(), limit=1, what="nothing left")
