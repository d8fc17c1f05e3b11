"""A paused queue: doorbells are consumed, no attempt is spent, and a resume is heard at once."""

from __future__ import annotations

import time
from collections.abc import Callable

from contralock.local.waiting import wait_until
from jobs import queues
from jobs.broker import depths
from jobs.models import Attempt, Job
from tests.acceptance.handlers import say
from tests.acceptance.history import completions, effects, wait_completed
from tests.nodes import BeatNode, WorkerNode


def test_doorbells_that_a_paused_worker_ate_cost_no_attempt_and_a_resume_is_heard_within_a_second(
    worker: WorkerNode, beat: BeatNode, figure: Callable[[str, object], None]
) -> None:
    queues.pause("general", reason="the story")
    handles = [say.delay(word=f"word {n}") for n in range(50)]
    wait_until(lambda: depths(["general"]) == {"general": 0}, limit=10, what="eaten doorbells")
    wait_until(lambda: not Job.objects.exclude(published_at=None).exists(), limit=10, what="doorbells taken back")
    assert not Job.objects.exclude(runs=0, state="waiting").exists()
    assert not Attempt.objects.exists()
    resumed = time.monotonic()
    assert queues.resume("general")
    wait_until(effects, limit=5, what="the first job")
    first = time.monotonic() - resumed
    wait_completed(handles)
    figure("resume, first of 50 jobs after (s)", round(first, 2))
    figure("resume, all of 50 jobs after (s)", round(time.monotonic() - resumed, 2))
    assert first < 1
    assert completions(handle.id for handle in handles) == {"completed": 50}
    assert effects() == [f"word {n}" for n in range(50)]


def test_a_pause_of_one_queue_leaves_the_others_open(start_worker: Callable[..., WorkerNode], beat: BeatNode) -> None:
    start_worker("general,email")
    queues.pause("general", reason="the story")
    held = say.delay(word="held")
    free = say.apply_async(kwargs={"word": "free"}, queue="email")
    wait_completed([free])
    assert (held.state, effects()) == ("waiting", ["free"])
