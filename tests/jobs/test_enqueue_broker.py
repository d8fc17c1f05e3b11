"""Enqueuing while the broker is full, down or frozen: the caller never feels it, the row waits for the relay."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import transaction

from jobs import doorbell
from jobs.doorbell import Breaker
from jobs.enqueue import enqueue_many
from jobs.models import Job
from jobs.window import Window, window
from tests.jobs.conftest import Broker
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import fresh
from tests.jobs.zoo import mail, perform

pytestmark = COMMITTED


def unrung() -> int:
    return Job.objects.filter(published_at=None).count()


def test_of_many_rows_only_a_window_of_doorbells_is_rung(broker: Broker, settings: Any) -> None:
    settings.JOBS_WINDOW = 1000
    perform.delay_many([{}] * 3000)
    assert (len(broker.messages()), Job.objects.count(), unrung()) == (1000, 3000, 2000)


def test_the_window_counts_what_lies_in_redis_already(broker: Broker, settings: Any) -> None:
    settings.JOBS_WINDOW = 10
    perform.delay_many([{}] * 8, priority=9)
    window.__dict__.update(Window().__dict__)  # another process, which knows nothing of these
    perform.delay_many([{}] * 8)
    assert (len(broker.messages()), unrung()) == (10, 6)


def test_enqueuing_one_by_one_keeps_to_the_window_too(broker: Broker, settings: Any) -> None:
    settings.JOBS_WINDOW = 5
    for _ in range(9):
        perform.delay()
    assert (len(broker.messages()), unrung()) == (5, 4)


def test_each_queue_has_a_window_of_its_own(broker: Broker, settings: Any) -> None:
    settings.JOBS_WINDOW = 2
    with transaction.atomic():
        perform.delay_many([{}] * 3)
        mail.delay_many([{"number": n} for n in range(3)])
    assert (len(broker.messages()), len(broker.messages("email")), unrung()) == (2, 2, 2)


def test_the_doorbells_that_fit_are_the_first_ones(broker: Broker, settings: Any) -> None:
    settings.JOBS_WINDOW = 2
    window.take("general", 0, limit=1000)  # believes in more room than there is
    handles = enqueue_many(perform.kind, calls=[{}] * 4, options={})
    assert broker.task_ids() == [f"{h.id}.1" for h in handles[:2]]
    assert [fresh(h.id).published_at is None for h in handles] == [False, False, True, True]


def test_a_broker_that_is_down_is_no_error(broker: Broker) -> None:
    broker.server.kill()
    began = time.monotonic()
    first = perform.delay()
    second = perform.delay()
    assert time.monotonic() - began < 2
    for handle in (first, second):
        assert (fresh(handle.id).state, fresh(handle.id).published_at) == ("waiting", None)
    assert doorbell.breaker.open
    assert fresh(second.id).dispatch_no == 0, "while the breaker is open nobody claims to have rung"


def test_a_transaction_commits_while_the_broker_is_down(broker: Broker) -> None:
    broker.server.kill()
    with transaction.atomic():
        perform.delay_many([{}] * 5)
        mail.delay(number=1)
    assert (Job.objects.count(), unrung()) == (6, 6)


def test_a_frozen_broker_costs_one_time_out_once(broker: Broker) -> None:
    perform.delay()  # with a live connection in the pool
    broker.server.pause()
    began = time.monotonic()
    perform.delay()
    once = time.monotonic() - began
    began = time.monotonic()
    perform.delay()
    again = time.monotonic() - began
    broker.server.resume()
    assert 0.5 < once < 3, "REDIS_SOCKET_TIMEOUT is a second"
    assert again < 0.3
    assert unrung() == 2


def test_when_the_broker_is_back_the_next_one_is_rung(broker: Broker) -> None:
    broker.server.kill()
    perform.delay()
    broker.server.start()
    doorbell.breaker._shut_at = time.monotonic()  # its pause is over
    handle = perform.delay()
    assert broker.task_ids() == [f"{handle.id}.1"]
    assert doorbell.breaker._failures == 0


def test_the_breaker_opens_longer_with_each_failure_and_closes_at_once() -> None:
    breaker = Breaker()
    pauses = []
    for _ in range(4):
        breaker.failed(OSError("x"))
        pauses.append(round(breaker._shut_at - time.monotonic(), 1))
        assert breaker.open
    assert pauses == [2, 4, 5, 5]
    breaker.worked()
    assert not breaker.open
    breaker.failed(OSError("x"))
    assert breaker._shut_at - time.monotonic() <= 2


def test_the_breaker_logs_the_first_failure_of_a_row_only(caplog: pytest.LogCaptureFixture) -> None:
    breaker = Breaker()
    for _ in range(3):
        breaker.failed(OSError("refused"))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    breaker.worked()
    breaker.failed(OSError("refused"))
    assert len([r for r in caplog.records if r.levelname == "WARNING"]) == 2
