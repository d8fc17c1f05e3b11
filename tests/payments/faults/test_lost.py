"""The broker loses what it was given, PostgreSQL goes away, a transaction is given up: between request and booking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from contralock.local.postgres import Postgres
from contralock.local.valkey import Valkey
from contralock.local.waiting import wait_until
from jobs.database import rows
from payments.models import Operation
from payments.states import Dispatch
from tests.nodes import BeatNode, BrokerNode, WorkerNode
from tests.payments.faults import scene
from tests.payments.faults.gate import Gate
from tests.payments.faults.scene import LIMIT, outcomes_of
from tests.payments.live import job_of
from tests.payments.sandbox.cast import Cast
from tests.payments.story import fresh

type Start = Callable[..., WorkerNode]


@pytest.fixture
def operations(stripe: Cast, celery_broker: BrokerNode) -> list[Operation]:
    """A release, a refund, a withdrawal and a reversal that nobody has taken up yet."""
    return scene.ready(stripe).ask()


def test_what_a_killed_broker_had_in_its_queues_is_done(
    stripe: Cast, payment_worker: Start, start_beat: Callable[..., BeatNode], gate: Gate, valkey: Valkey
) -> None:
    scenery = scene.ready(stripe)
    start_beat(wait=False)
    payment_worker(concurrency=1)
    gate.hold_answers()
    under_way = scenery.release.release()
    wait_until(lambda: gate.waiting == 1, limit=LIMIT, what="an answer at the gate")
    queued = scenery.refund.refund(4_000)
    valkey.kill()
    unrung = scenery.withdrawal.withdraw(9_000)
    gate.open()
    valkey.start()
    operations = [under_way, queued, unrung]
    scene.wait_booked(operations)
    assert [outcomes_of(one) for one in operations] == [["completed"]] * 3
    scene.require_once(stripe.control, operations)


def test_postgres_restarts_while_the_answers_are_on_their_way(
    stripe: Cast,
    operations: list[Operation],
    payment_worker: Start,
    start_beat: Callable[..., BeatNode],
    gate: Gate,
    postgres_server: Postgres,
) -> None:
    start_beat(wait=False)
    gate.hold_answers()
    payment_worker()
    wait_until(lambda: gate.waiting == len(operations), limit=LIMIT, what="all answers at the gate")
    postgres_server.restart("immediate")
    connection.close()
    assert {fresh(one).dispatch for one in operations} == {Dispatch.SENT}
    gate.open()
    scene.wait_booked(operations)
    assert {(job_of(one).failures, job_of(one).crashes) for one in operations} == {(0, 0)}
    refunds = [one.parent for one in map(fresh, operations) if one.parent]
    scene.wait_booked(refunds)
    scene.require_once(stripe.control, [*operations, *refunds])


AT_ONCE = "AFTER UPDATE OF dispatch ON payments_operation"
AT_COMMIT = "AFTER UPDATE OF dispatch ON payments_operation DEFERRABLE INITIALLY DEFERRED"


@contextmanager
def given_up(times: int, dispatch: Dispatch, *, sqlstate: str, when: str) -> Iterator[None]:
    """So many transactions in which an operation is said to be `dispatch` fail; counted where no rollback reaches."""
    rows(f"""
        CREATE SEQUENCE given_up;
        CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.dispatch = '{dispatch}' AND nextval('given_up') <= {times} THEN
                RAISE EXCEPTION 'given up' USING ERRCODE = '{sqlstate}';
            END IF;
            RETURN NULL;
        END $$;
        CREATE {"CONSTRAINT" if "DEFERRED" in when else ""} TRIGGER give_up {when}
            FOR EACH ROW EXECUTE FUNCTION give_up();
    """)
    try:
        yield
    finally:
        rows("DROP TRIGGER give_up ON payments_operation; DROP FUNCTION give_up(); DROP SEQUENCE given_up")


@pytest.mark.parametrize(
    ("sqlstate", "when"),
    [("40001", AT_ONCE), ("40P01", AT_ONCE), ("40001", AT_COMMIT)],
    ids=["serialization", "deadlock", "serialization at commit"],
)
@pytest.mark.parametrize(
    ("dispatch", "runs"),
    [(Dispatch.CONFIRMED, ["completed"]), (Dispatch.SENT, [*["snoozed"] * 3, "completed"])],
    ids=["booking", "before sending"],
)
@pytest.mark.django_db(transaction=True)
def test_what_postgres_gives_up_three_times_costs_no_attempt(
    stripe: Cast, gate: Gate, settings: Any, dispatch: Dispatch, runs: list[str], sqlstate: str, when: str
) -> None:
    settings.STRIPE_API_BASE = gate.url
    story = scene.delivered(stripe)
    before = len(gate.posts())
    with given_up(3, dispatch, sqlstate=sqlstate, when=when):
        release = story.release()
        scene.run_soon()
    assert outcomes_of(release) == runs
    assert job_of(release).failures == 0
    assert len(gate.posts()) == before + 1, "sent once, answered once"
    scene.require_once(stripe.control, [release])
