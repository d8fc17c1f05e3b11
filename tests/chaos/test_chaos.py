"""Workers, pool processes, keepers and both servers are killed at random under load; then the books are checked.

A short run is part of the suite. A long one:
    CHAOS_SECONDS=120 CHAOS_JOBS=5000 make test ARGS="-n 0 tests/chaos"
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from signal import SIGKILL

import pytest

from contralock.celery import app
from contralock.local.postgres import Postgres
from contralock.local.valkey import Valkey
from contralock.local.waiting import wait_until
from jobs.database import rows
from jobs.drill import drill
from jobs.models import UNFINISHED_STATES, Attempt, Job
from tests.acceptance.handlers import crowd
from tests.nodes import BeatNode, WorkerNode

SECONDS = float(os.environ.get("CHAOS_SECONDS", "20"))
JOBS = int(os.environ.get("CHAOS_JOBS", "1000"))
SEED = int(os.environ.get("CHAOS_SEED", str(random.randrange(10_000))))
PAUSE = (0.5, 2.5)  # seconds between two blows, at least and at most


@dataclass
class Storm:
    """Who can be hit; whoever was killed is started again at once, whoever was frozen is thawed after its lease."""

    workers: list[WorkerNode]
    beats: list[BeatNode]
    valkey: Valkey
    postgres: Postgres
    dice: random.Random
    blows: Counter[str] = field(default_factory=Counter)
    frozen: dict[int, WorkerNode] = field(default_factory=dict)

    def strike(self) -> None:
        """One blow at random."""
        blow = self.dice.choice(
            (
                *(self.kill_worker, self.kill_child, self.kill_child, self.kill_beat),
                *(self.freeze_worker, self.kill_valkey, self.wipe_valkey, self.restart_postgres),
            )
        )
        blow()
        self.blows[blow.__name__] += 1

    def kill_worker(self) -> None:
        node = self.dice.choice(self.workers)
        node.kill()
        node.container.start()

    def kill_child(self) -> None:
        node = self.dice.choice(self.workers)
        with suppress(ProcessLookupError, FileNotFoundError):  # a worker that is just starting has passing children
            if children := node.children():
                os.kill(self.dice.choice(children), SIGKILL)

    def kill_beat(self) -> None:
        node = self.dice.choice(self.beats)
        node.kill()
        node.container.start()

    def freeze_worker(self) -> None:
        node = self.dice.choice(self.workers)
        node.pause()
        self.frozen[node.container.pid] = node

    def thaw(self) -> None:
        """Whoever was frozen and not killed meanwhile."""
        for pid, node in self.frozen.items():
            if node.container.pid == pid and node.container.running:
                node.resume()
        self.frozen.clear()

    def kill_valkey(self) -> None:
        self.valkey.kill()
        time.sleep(self.dice.uniform(0, 1))  # the length of an outage, not a wait for anything
        self.valkey.start()

    def wipe_valkey(self) -> None:
        with app.connection_for_write() as broker:
            broker.default_channel.client.flushall()

    def restart_postgres(self) -> None:
        self.postgres.restart(self.dice.choice(("fast", "immediate")))


@pytest.mark.chaos
@pytest.mark.timeout(SECONDS + 180)
def test_after_the_storm_every_job_has_finished_exactly_once(
    start_worker: Callable[..., WorkerNode],
    start_beat: Callable[..., BeatNode],
    valkey: Valkey,
    postgres_server: Postgres,
    figure: Callable[[str, object], None],
) -> None:
    workers = [start_worker(concurrency=2, wait=False) for _ in range(2)]
    beats = [start_beat(wait=False) for _ in range(2)]
    storm = Storm(workers, beats, valkey, postgres_server, random.Random(SEED))
    slowest = rage(storm)
    storm.thaw()
    calm = time.monotonic()
    unfinished = Job.objects.filter(state__in=UNFINISHED_STATES)
    wait_until(lambda: not unfinished.exists(), limit=90, poll=0.2, what=f"calm after seed {SEED}")
    figure("chaos", f"{JOBS} jobs in {SECONDS:g} s, seed {SEED}, blows {dict(storm.blows)}")
    figure("chaos, drained after the last blow (s)", round(time.monotonic() - calm, 1))
    figure("chaos, slowest enqueue (s)", round(slowest, 2))
    figure("chaos, attempts", dict(rows("SELECT outcome, count(*) FROM jobs_attempt GROUP BY 1")))
    check_the_books()


def rage(storm: Storm) -> float:
    """Enqueue evenly and strike at random; the slowest enqueue in seconds."""
    begin = time.monotonic()
    strike_at = begin + 2.0
    slowest = 0.0
    for number in range(JOBS):
        due = begin + SECONDS * number / JOBS
        time.sleep(max(0.0, due - time.monotonic()))
        called = time.monotonic()
        _enqueue(number)
        slowest = max(slowest, time.monotonic() - called)
        if time.monotonic() > strike_at:
            if storm.frozen and storm.dice.random() < 0.4:
                storm.thaw()
            storm.strike()
            strike_at = time.monotonic() + storm.dice.uniform(*PAUSE)
    return slowest


def _enqueue(number: int) -> None:
    """Every other one of a kind that is folded."""
    if number % 2:
        crowd.delay(number=number, sleep=0.02)
    else:
        drill.delay(sleep=0.02, payload=number)


def check_the_books() -> None:
    """No job is lost, none finished twice, no run is unaccounted for, and only their own deaths were counted."""
    drills = Job.objects.filter(kind__in=("jobs.drill", "story.crowd"))
    runs = Attempt.objects.filter(job__in=drills)
    assert drills.count() == JOBS
    assert {row.result for row in drills} == set(range(JOBS))
    assert not drills.exclude(state="completed", failures=0).exists()
    finishes = runs.filter(outcome="completed")
    assert finishes.count() == JOBS == finishes.values("job").distinct().count()
    others = runs.exclude(outcome__in=("completed", "crashed"))
    # Its handler writes to PostgreSQL, and sees the restarts; that costs it no attempt.
    assert set(others.values_list("job__kind", "outcome")) <= {("story.crowd", "snoozed")}
    assert runs.count() == sum(drills.values_list("runs", flat=True))
