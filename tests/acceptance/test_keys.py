"""Keys: one at a time (concurrency_key), one at all (unique_key)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise

from contralock.local.waiting import wait_until
from jobs.database import now
from jobs.models import Job, UniqueClaim
from tests.acceptance.handlers import hold, say
from tests.acceptance.history import effects, job, outcomes, wait_completed, wait_for_effect
from tests.nodes import BeatNode, WorkerNode

ENQUEUER = """
import sys, django
django.setup()
from tests.acceptance.handlers import say
print("ready", flush=True)
for word in sys.stdin.readline().split():
    print(say.apply_async(kwargs={"word": word}, unique_key=word).id, flush=True)
"""


def test_jobs_with_one_concurrency_key_never_overlap(start_worker: Callable[..., WorkerNode], beat: BeatNode) -> None:
    start_worker(concurrency=2, wait=False)
    start_worker(concurrency=2)
    handles = [
        hold.apply_async(kwargs={"seconds": 0.02, "word": f"{n}"}, concurrency_key="escrow:1") for n in range(20)
    ]
    free = say.delay(word="free")
    wait_completed([*handles, free], limit=30)
    words = [word for word in effects() if word != "free"]
    assert sorted(words) == sorted(f"{n} {edge}" for n in range(20) for edge in ("begins", "ends"))
    for begin, end in zip(words[::2], words[1::2], strict=True):
        assert (begin, end) == (begin, begin.replace("begins", "ends"))
    assert all(outcomes(handle) == ["completed"] for handle in handles)


def test_a_key_is_free_again_when_the_worker_that_held_it_was_killed(
    start_worker: Callable[..., WorkerNode], beat: BeatNode
) -> None:
    victim = start_worker()
    first, second = (
        hold.apply_async(kwargs={"seconds": 60 if word == "first" else 0, "word": word}, concurrency_key="escrow:1")
        for word in ("first", "second")
    )
    wait_for_effect("first begins")
    victim.kill()
    start_worker(concurrency=2)
    wait_completed([first, second])
    assert (outcomes(first), outcomes(second)) == (["crashed", "completed"], ["completed"])
    assert effects()[1:] in (
        ["first begins", "first ends", "second begins", "second ends"],
        ["second begins", "second ends", "first begins", "first ends"],
    )


def test_two_processes_that_enqueue_the_same_keys_at_once_make_one_job_per_key(
    environment: dict[str, str], worker: WorkerNode
) -> None:
    argv = [sys.executable, "-c", ENQUEUER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    twins = [subprocess.Popen(argv, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for twin in twins:
        assert twin.stdout.readline() == "ready\n"
    words = [f"word{n}" for n in range(30)]
    for twin in twins:
        twin.stdin.write(" ".join(words) + "\n")
        twin.stdin.flush()
    first, second = (twin.communicate(timeout=20)[0].split() for twin in twins)
    assert len(first) == len(second) == 30
    wait_until(lambda: not Job.objects.exclude(state="completed").exists(), limit=10, what="completion")
    # A key is free again when its job has finished, so a slower twin may make a second one after that, never before.
    jobs = list(Job.objects.order_by("unique_key", "created_at"))
    for before, after in pairwise(jobs):
        if before.unique_key == after.unique_key:
            assert before.finished_at is not None
            assert before.finished_at <= after.created_at
    assert len(effects()) == len(jobs)


def test_a_key_for_a_period_holds_after_its_job_has_finished(worker: WorkerNode) -> None:
    first = say.apply_async(kwargs={"word": "first"}, unique_key="reminder:1", unique_for=1.5)
    wait_completed([first])
    again = say.apply_async(kwargs={"word": "again"}, unique_key="reminder:1", unique_for=1.5)
    assert (again.id, again.created) == (first.id, False)
    wait_until(lambda: UniqueClaim.objects.get().until <= now(), limit=5, what="the end of the period")
    later = say.apply_async(kwargs={"word": "later"}, unique_key="reminder:1", unique_for=1.5)
    assert later.created
    wait_completed([later])
    assert effects() == ["first", "later"]
    assert job(later).runs == 1
