"""kill -9 at every point between an operation's request and its booking, of real workers that really wait there."""

from __future__ import annotations

from collections.abc import Callable
from signal import SIGKILL

import pytest

from contralock.local.waiting import wait_until
from jobs import control
from jobs.database import now
from payments import doubts
from payments.models import Operation
from payments.states import Dispatch
from tests.nodes import BrokerNode, WorkerNode
from tests.payments.faults import scene
from tests.payments.faults.gate import Gate
from tests.payments.faults.scene import LIMIT, books_of, locked, milestones_of, outcomes_of
from tests.payments.live import job_of, live_escrow
from tests.payments.sandbox.cast import Cast
from tests.payments.story import fresh

type Start = Callable[..., WorkerNode]
type Blow = Callable[[WorkerNode], None]


@pytest.fixture
def blow(request: pytest.FixtureRequest) -> Blow:
    """What is killed: the pool's processes, or the whole `worker`."""
    if getattr(request, "param", "processes") == "processes":
        return kill_processes
    request.getfixturevalue("start_beat")(wait=False)  # the leases of a whole worker run out, which a keeper sees
    return kill_worker


def kill_processes(worker: WorkerNode) -> None:
    """Every process of the pool at once; their main process gives the jobs back."""
    for pid in worker.children():
        worker.kill_child(pid)


def kill_worker(worker: WorkerNode) -> None:
    """Main process and pool; started again while the leases run out."""
    worker.container.signal_group(SIGKILL)
    worker.container.wait()
    worker.start_again()


@pytest.fixture
def operations(stripe: Cast, celery_broker: BrokerNode) -> list[Operation]:
    """A release, a refund, a withdrawal and a reversal that nobody has taken up yet."""
    return scene.ready(stripe).ask()


def test_killed_before_the_request_is_committed_as_sent(
    stripe: Cast, operations: list[Operation], payment_worker: Start, blow: Blow
) -> None:
    with locked(*milestones_of(operations)) as wait_for:
        worker = payment_worker()
        wait_for(len(operations))
        blow(worker)
        assert {fresh(one).dispatch for one in operations} == {Dispatch.READY}
    finish(stripe, operations)


def test_killed_after_that_and_before_the_request_is_out(
    stripe: Cast, operations: list[Operation], payment_worker: Start, gate: Gate, blow: Blow
) -> None:
    gate.lose_requests()
    worker = payment_worker()
    wait_until(lambda: gate.cut == len(operations), limit=LIMIT, what="all requests at the gate")
    assert {fresh(one).dispatch for one in operations} == {Dispatch.SENT}
    gate.open()
    blow(worker)
    finish(stripe, operations)


@pytest.mark.parametrize(
    ("effect", "blow"),
    [(True, "worker"), (False, "processes")],
    indirect=["blow"],
    ids=["done-worker", "not done-processes"],
)
def test_killed_while_stripe_is_silent(
    stripe: Cast, operations: list[Operation], payment_worker: Start, blow: Blow, effect: bool
) -> None:
    kind = "hang_after" if effect else "hang_before"
    stripe.control.fault(kind, method="POST", times=len(operations))
    worker = payment_worker()
    wait_until(lambda: stripe.control.faults()[0]["spent"], limit=LIMIT, what="all requests at Stripe")
    moved = stripe.control.effects()
    assert {moved.count(str(one.pk)) for one in operations} == {int(effect)}
    assert {fresh(one).dispatch for one in operations} == {Dispatch.SENT}
    blow(worker)
    finish(stripe, operations)


def test_killed_while_a_payment_intent_is_made(stripe: Cast, payment_worker: Start, celery_broker: BrokerNode) -> None:
    story = live_escrow(stripe)
    deposit = story.deposit()
    stripe.control.fault("hang_after", path="/v1/payment_intents", method="POST", times=1)
    worker = payment_worker(concurrency=1)
    wait_until(lambda: stripe.control.faults()[0]["spent"], limit=LIMIT, what="a request at Stripe")
    kill_processes(worker)
    wait_until(lambda: job_of(deposit).state == "delayed", limit=LIMIT, what="a deposit that waits for the client")
    assert outcomes_of(deposit) == ["crashed", "snoozed"]
    story.pay()
    control.promote(job_of(deposit).id)
    scene.wait_booked([deposit])
    assert len(stripe.control.state()["objects"]["payment_intent"]) == 1
    scene.require_once(stripe.control, [deposit])


@pytest.mark.parametrize("blow", ["worker"], indirect=True)
def test_killed_when_the_answer_is_there_and_before_anything_is_booked(
    stripe: Cast, operations: list[Operation], payment_worker: Start, gate: Gate, blow: Blow
) -> None:
    gate.hold_answers()
    worker = payment_worker()
    wait_until(lambda: gate.waiting == len(operations), limit=LIMIT, what="all answers at the gate")
    with locked(*milestones_of(operations)) as wait_for:
        gate.open()
        wait_for(len(operations))
        blow(worker)
    finish(stripe, operations)


@pytest.mark.parametrize("blow", ["processes", "worker"], indirect=True)
def test_killed_inside_the_transaction_that_books(
    stripe: Cast, operations: list[Operation], payment_worker: Start, blow: Blow
) -> None:
    with locked(*books_of(operations)) as wait_for:
        worker = payment_worker()
        wait_for(len(operations))
        assert {stripe.control.effects().count(str(one.pk)) for one in operations} == {1}
        blow(worker)
        assert {fresh(one).dispatch for one in operations} == {Dispatch.SENT}, "none of it was committed"
    finish(stripe, operations)


def test_killed_in_the_middle_of_the_requests_body(
    stripe: Cast, operations: list[Operation], payment_worker: Start, gate: Gate, blow: Blow
) -> None:
    gate.cut_requests(after=20)
    worker = payment_worker()
    wait_until(lambda: gate.cut == len(operations), limit=LIMIT, what="all requests at the gate")
    gate.open()
    blow(worker)
    finish(stripe, operations)


def test_killed_as_often_as_the_engine_allows_it_is_found_by_looking(
    stripe: Cast, payment_worker: Start, celery_broker: BrokerNode
) -> None:
    story = scene.delivered(stripe)
    release = story.release()
    stripe.control.fault("hang_after", path="/v1/transfers", method="POST", times=1)
    worker = payment_worker(concurrency=1, JOBS_CRASH_LIMIT="1")
    wait_until(lambda: stripe.control.faults()[0]["spent"], limit=LIMIT, what="a request at Stripe")
    kill_processes(worker)
    wait_until(lambda: job_of(release).state == "failed", limit=LIMIT, what="a job that counts as poison")
    assert (fresh(release).dispatch, story.free()) == (Dispatch.SENT, 0)
    assert doubts.resolve(now=now()) == {"found": 1}
    assert fresh(release).booked_at
    scene.require_once(stripe.control, [release])


def finish(stripe: Cast, operations: list[Operation]) -> None:
    """Every run that was killed is told as such, and every operation was done once."""
    scene.wait_booked(operations)
    for one in operations:
        assert outcomes_of(one)[0] == "crashed", scene.story_of([one])
        assert job_of(one).failures == 0, scene.story_of([one])
    refunds = [one.parent for one in map(fresh, operations) if one.parent]  # waited for their reversals
    scene.wait_booked(refunds)
    scene.require_once(stripe.control, [*operations, *refunds])
