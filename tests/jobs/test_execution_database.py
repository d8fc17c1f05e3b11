"""A handler that mistreats its connection, or loses it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from jobs import (
    JobContext,
)
from jobs.database import now, rows
from jobs.models import Attempt, Job
from jobs.states import State
from tests.jobs.conftest import Play
from tests.jobs.marks import COMMITTED
from tests.jobs.rows import end_backend, make

pytestmark = [COMMITTED, pytest.mark.usefixtures("play")]


def outcome(job: Job) -> str:
    return Attempt.objects.filter(job=job).latest("number").outcome


def test_a_broken_transaction_of_the_handler_is_its_failure(play: Play) -> None:
    def part(context: JobContext) -> None:
        with transaction.atomic():
            Job.objects.create(id=context.id, kind="x", queue="x", state="waiting", available_at=now())

    job = play(part)
    assert (job.state, job.failures, Attempt.objects.get(job=job).error_class) == ("delayed", 1, "IntegrityError")


def test_a_handler_that_swallows_a_database_error_in_a_transaction_fails(play: Play) -> None:
    def part(context: JobContext) -> None:
        with transaction.atomic():
            try:
                Job.objects.create(id=context.id, kind="x", queue="x", state="waiting", available_at=now())
            except IntegrityError:
                rows("SELECT 1")

    assert play(part).state == "delayed"


def _begin_and_stay(_: JobContext) -> None:
    connection.set_autocommit(False)
    make(State.DELAYED)


def _enter_and_stay(_: JobContext) -> None:
    transaction.atomic().__enter__()
    make(State.DELAYED)


def _raise_inside(_: JobContext) -> None:
    _enter_and_stay(_)
    raise ValueError


def _begin_past_django(_: JobContext) -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")


def _abort_past_django(_: JobContext) -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1 / 0")


@pytest.mark.parametrize(
    "part", [_begin_and_stay, _enter_and_stay, _raise_inside, _begin_past_django, _abort_past_django]
)
def test_a_transaction_left_open_is_rolled_back_and_the_run_failed(play: Play, part: Any) -> None:
    job = play(part)
    assert (job.state, job.error) == ("delayed", "the handler left a transaction open")
    assert Job.objects.count() == 1, "what it wrote is not committed with the finish"
    assert not connection.in_atomic_block
    assert connection.get_autocommit()
    assert play(lambda _: None).state == "completed", "the process goes on working"


def test_a_lost_connection_in_a_handler_is_a_snooze(play: Play) -> None:
    def part(_: JobContext) -> None:
        end_backend()
        rows("SELECT 1")

    job = play(part)
    assert (job.state, job.failures, outcome(job)) == ("delayed", 0, "snoozed")


def test_a_lost_connection_inside_a_transaction_is_a_snooze_too(play: Play) -> None:
    def part(_: JobContext) -> None:
        with transaction.atomic():
            end_backend()
            rows("SELECT 1")

    job = play(part)
    assert (job.state, job.failures) == ("delayed", 0)


@pytest.mark.parametrize("timeout", ["statement_timeout", "lock_timeout"])
def test_a_time_out_of_postgresql_is_a_failure(play: Play, timeout: str) -> None:
    def part(context: JobContext) -> None:
        with transaction.atomic():
            rows(f"SET LOCAL {timeout} = '20ms'")
            rows("SELECT pg_sleep(10)" if timeout == "statement_timeout" else "SELECT pg_advisory_xact_lock(1)")

    with closing(connection.copy()) as other:
        rows("SELECT pg_advisory_lock(1)", using=other)
        job = play(part)
    assert (job.state, job.failures) == ("delayed", 1)
