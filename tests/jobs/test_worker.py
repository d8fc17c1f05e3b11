"""What runs in a worker's main process, called here as Celery calls it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from billiard.einfo import ExceptionInfo
from billiard.exceptions import Terminated, WorkerLostError
from django.db import connection

from jobs.database import rows
from jobs.ids import uuid7
from jobs.kinds import REGISTRY
from jobs.models import Attempt, Worker
from jobs.states import State
from jobs.worker import steps
from jobs.worker.identity import boot
from jobs.worker.presence import PresenceThread
from jobs.worker.request import JobRequest
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import end_backend, fresh, make

pytestmark = COMMITTED


def request_of(job: Any, *, pid: int | None = 77, task_id: str | None = None) -> JobRequest:
    """A request as the main process holds it; what Celery itself would tell others is left out."""
    request = JobRequest.__new__(JobRequest)
    request.__dict__.update(worker_pid=pid)
    request._request_dict = {}
    request.id = task_id or f"{job.id}.1"
    return request


# ---------------------------------------------------------------- dead children
@pytest.fixture
def _quiet_celery(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("on_failure", "on_timeout"):
        monkeypatch.setattr(f"celery.worker.request.Request.{name}", lambda *_, **__: None)


def failure(error: BaseException) -> ExceptionInfo:
    try:
        raise error
    except BaseException:  # noqa: BLE001 - to have its traceback
        return ExceptionInfo()


@pytest.mark.usefixtures("_quiet_celery")
@pytest.mark.parametrize("error", [WorkerLostError("x"), Terminated(9), SystemExit(), KeyboardInterrupt()])
def test_the_job_of_a_dead_child_runs_again_at_once(broker: Broker, error: BaseException) -> None:
    job = make(State.ACTIVE, worker=boot.id, worker_pid=77)
    request_of(job).on_failure(failure(error))
    assert connection.connection is None, "children that are forked next inherit none"
    assert (fresh(job).state, fresh(job).crashes, Attempt.objects.get().message) == (
        "waiting",
        1,
        "its process 77 died",
    )
    assert broker.task_ids() == [f"{job.id}.1"]


@pytest.mark.usefixtures("_quiet_celery")
@pytest.mark.parametrize(
    ("error", "return_ok"), [(ValueError("x"), False), (WorkerLostError("x"), True), (SystemExit(), True)]
)
def test_a_failure_that_the_child_told_itself_takes_nothing_away(
    broker: Broker, error: BaseException, return_ok: bool
) -> None:
    job = make(State.ACTIVE, worker=boot.id, worker_pid=77)
    request_of(job).on_failure(failure(error), return_ok=return_ok)
    assert fresh(job).state == "active"


@pytest.mark.usefixtures("_quiet_celery")
@pytest.mark.parametrize(("soft", "state"), [(False, "waiting"), (True, "active")])
def test_the_hard_limit_gives_the_job_back_and_a_soft_one_does_not(broker: Broker, soft: bool, state: str) -> None:
    job = make(State.ACTIVE, worker=boot.id, worker_pid=77)
    request_of(job).on_timeout(soft, 1)
    assert fresh(job).state == state


@pytest.mark.usefixtures("_quiet_celery")
def test_a_job_that_moved_on_is_not_touched(broker: Broker) -> None:
    other_child = make(State.ACTIVE, worker=boot.id, worker_pid=78)
    other_worker = make(State.ACTIVE, worker=uuid7(), worker_pid=77)
    for job in (other_child, other_worker):
        request_of(job).on_failure(failure(WorkerLostError("x")))
    request_of(other_child, pid=None).on_failure(failure(WorkerLostError("x")))
    request_of(other_child, task_id="no-doorbell").on_failure(failure(WorkerLostError("x")))
    assert {fresh(other_child).state, fresh(other_worker).state} == {"active"}


@pytest.mark.usefixtures("_quiet_celery")
def test_while_postgresql_is_away_the_lease_is_the_fallback(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    job = make(State.ACTIVE, worker=boot.id, worker_pid=77)
    end_backend()
    request_of(job).on_failure(failure(WorkerLostError("x")))
    assert "stay leased until their lease ends" in caplog.text
    assert fresh(job).state == "active"


# ---------------------------------------------------------------- presence
@pytest.fixture
def presence() -> Iterator[PresenceThread]:
    thread = PresenceThread()
    yield thread
    if thread.is_alive():
        thread.stop()
    PresenceThread.running = None


def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("waited in vain")


def test_a_worker_says_that_it_lives_what_it_knows_and_that_it_left(presence: PresenceThread, settings: Any) -> None:
    settings.JOBS_HEARTBEAT = 0.05
    presence.start()
    until(Worker.objects.exists)
    row = Worker.objects.get()
    assert (row.id, row.kinds, row.stopping, row.stopped_at) == (boot.id, sorted(REGISTRY), False, None)
    until(lambda: Worker.objects.get().seen_at > row.seen_at)
    presence.say_stopping()
    until(lambda: Worker.objects.get().stopping)
    presence.stop()
    assert not presence.is_alive()
    assert Worker.objects.get().stopped_at is not None


def test_presence_survives_a_lost_connection(presence: PresenceThread, settings: Any) -> None:
    settings.JOBS_HEARTBEAT = 0.05
    presence.start()
    until(Worker.objects.exists)
    mine = rows("SELECT pg_backend_pid()")[0][0]
    for (pid,) in rows(
        "SELECT pid FROM pg_stat_activity WHERE query LIKE '%%INTO jobs_worker%%' AND pid <> %s", [mine]
    ):
        end_backend(pid)
    seen = Worker.objects.get().seen_at
    until(lambda: Worker.objects.get().seen_at > seen)


def test_stopping_is_told_at_once_and_not_at_the_next_interval(presence: PresenceThread, settings: Any) -> None:
    settings.JOBS_HEARTBEAT = 3600
    presence.start()
    until(Worker.objects.exists)
    presence.say_stopping()
    until(lambda: Worker.objects.get().stopping)


# ---------------------------------------------------------------- bootsteps
def test_what_was_taken_and_not_started_is_rung_again(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    unstarted = make(published_at="2020-01-01T00:00:00Z", dispatch_no=1, rings=1)
    monkeypatch.setattr(steps, "_unstarted", [f"{unstarted.id}.1", "some-other-task"])
    monkeypatch.setattr(boot, "queues", ("general",))
    presence = steps.Presence(None)
    presence.start(SimpleNamespace(concurrency=3))
    until(Worker.objects.exists)
    presence.stop(None)
    assert broker.task_ids() == [f"{unstarted.id}.2"]
    assert Worker.objects.get().concurrency == 3


def test_events_are_sent_in_bunches_and_again_after_a_reconnect() -> None:
    calls: list[Any] = []
    flushed: list[int] = []

    def repeat(seconds: float, act: Callable[[], None]) -> Any:
        calls.append((seconds, act))
        return SimpleNamespace(cancel=lambda: calls.remove((seconds, act)))

    def broken() -> None:
        flushed.append(1)
        raise OSError("the broker is away")

    dispatcher = SimpleNamespace(flush=broken, on_send_buffered=print, buffer_limit=1)
    parent = SimpleNamespace(event_dispatcher=dispatcher, hub=object(), timer=SimpleNamespace(call_repeatedly=repeat))
    step = steps.EventFlush(parent)
    step.start(parent)
    step.start(parent)
    ((seconds, act),) = calls
    act()
    assert (seconds, flushed, dispatcher.on_send_buffered, dispatcher.buffer_limit) == (0.25, [1], None, 1000)
    step.stop(parent)
    assert calls == []


def test_a_worker_without_events_has_nothing_to_flush() -> None:
    parent = SimpleNamespace(event_dispatcher=None, hub=object())
    step = steps.EventFlush(parent)
    step.start(parent)
    assert step.timer is None
