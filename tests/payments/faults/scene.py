"""Operations that are about to be sent, points at which a worker can be stopped, and the oracle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction

from contralock.local.waiting import wait_until
from jobs import testing
from jobs.database import now, rows
from jobs.models import Attempt
from payments import audit, ledger, services
from payments.ledger import accounts
from payments.models import Operation
from payments.sandbox.control import Control
from payments.states import Status
from tests.payments.live import Live, job_of, live_escrow
from tests.payments.sandbox.cast import Cast
from tests.payments.story import deposit_of, fresh

LIMIT = 30.0  # seconds that a story waits for what should take one or two
SOON = timedelta(hours=2)
"""Long enough for every retry that is to come, short enough for keys to stay young."""


# ---------------------------------------------------------------- up to where a story begins
def run_soon() -> None:
    """Everything that is to be done within the next two hours, in this process, whatever comes of it."""
    testing.drain(until=now() + SOON, failures=True)


def funded(cast: Cast, amount: int = 10_000) -> Live:
    """A milestone whose money is held. Nobody is rung."""
    with testing.quiet():
        story = live_escrow(cast, amount)
        story.deposit()
        testing.run_all(failures=True)
        story.pay()
        run_soon()
    assert fresh(deposit_of(story)).status == Status.HELD
    return story


def delivered(cast: Cast, amount: int = 10_000) -> Live:
    """A milestone that may be released."""
    story = funded(cast, amount)
    services.deliver(story.milestone.pk, by=story.freelancer)
    return story


def released(cast: Cast, amount: int = 10_000) -> Live:
    """A milestone whose money is the freelancer's, and has settled."""
    story = delivered(cast, amount)
    with testing.quiet():
        story.release()
        run_soon()
    assert story.payable()
    cast.control.settle()
    cast.control.settle(story.account.stripe_account)
    return story


@dataclass
class Ready:
    """Escrows in which a release, a refund, a withdrawal and the reversal before a refund can be asked for."""

    release: Live
    refund: Live
    withdrawal: Live
    reversal: Live

    def ask(self) -> list[Operation]:
        """Ask for all four, in this order; the doorbells ring as each is committed."""
        return [
            self.release.release(),
            self.refund.refund(4_000),
            self.withdrawal.withdraw(9_000),
            self.reversal.refund(10_000).children.get(),
        ]


def ready(cast: Cast) -> Ready:
    """Everything up to the requests."""
    scene = Ready(delivered(cast), funded(cast), released(cast), released(cast))
    cast.control.settle()
    return scene


# ---------------------------------------------------------------- where a worker stands
@contextmanager
def locked(sql: str, params: list[object]) -> Iterator[Callable[[int], None]]:
    """Rows locked by a connection of the test's own; gives a wait until so many others stand in front of them."""
    holding, let_go = threading.Event(), threading.Event()
    pids: list[int] = []

    def hold() -> None:
        try:
            with transaction.atomic():
                pids.append(connection.connection.info.backend_pid)
                rows(sql, params)
                holding.set()
                let_go.wait(LIMIT * 2)
        finally:
            connection.close()

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    assert holding.wait(LIMIT), f"not locked: {sql}"
    try:
        yield lambda number: wait_until(
            lambda: len(_blocked_by(pids[0])) >= number, limit=LIMIT, what=f"{number} sessions waiting for the lock"
        )
    finally:
        let_go.set()
        holder.join(LIMIT)


def _blocked_by(pid: int) -> list[int]:
    """Sessions that wait for this one, directly or in a queue behind another that does."""
    found = rows("SELECT pid, pg_blocking_pids(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    return [waiting for waiting, blocking in found if pid in blocking]


def milestones_of(operations: list[Operation]) -> tuple[str, list[object]]:
    """What locks.operation locks first, of each operation: its milestone, or its payout account."""
    return (
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM payments_milestone WHERE id = ANY(%s) FOR UPDATE) a), "
        "(SELECT count(*) FROM (SELECT 1 FROM payments_payoutaccount WHERE id = ANY(%s) FOR UPDATE) b)",
        [
            [one.milestone_id for one in operations if one.milestone_id],
            [one.payout_account_id for one in operations if not one.milestone_id],
        ],
    )


def books_of(operations: list[Operation]) -> tuple[str, list[object]]:
    """The ledger's accounts that these operations' bookings begin with: escrows and payables."""
    codes = [accounts.escrow(one.milestone_id, one.currency).code for one in operations if one.milestone_id]
    codes += [
        accounts.payable(one.payout_account.user_id, one.currency).code for one in operations if one.payout_account
    ]
    return "SELECT id FROM ledger_account WHERE code = ANY(%s) ORDER BY id FOR UPDATE", [codes]


# ---------------------------------------------------------------- how it ended
def wait_booked(operations: list[Operation], *, limit: float = LIMIT) -> None:
    """All of them, and their jobs completed."""
    ids = [one.pk for one in operations]

    def there() -> bool:
        unbooked = Operation.objects.filter(pk__in=ids, booked_at=None).exists()
        return not unbooked and all(job_of(one).state == "completed" for one in operations)

    try:
        wait_until(there, limit=limit, poll=0.05, what=f"{len(ids)} booked operations and completed jobs")
    except TimeoutError as error:
        raise TimeoutError(f"{error}\n{story_of(operations)}") from None


def story_of(operations: list[Operation]) -> str:
    """For whoever reads a failure."""
    return "\n".join(
        f"{one.kind}: {one.dispatch}, {one.status}, {one.error!r}; job {job_of(one).state}: {outcomes_of(one)}"
        for one in map(fresh, operations)
    )


def outcomes_of(operation: Operation) -> list[str]:
    """How the runs of its job ended, in order."""
    found = Attempt.objects.filter(job_id=str(fresh(operation).job_id)).order_by("number")
    return list(found.values_list("outcome", flat=True))


def require_once(control: Control, operations: list[Operation]) -> None:
    """The oracle: each moved money once under its first key, nothing else moved, and all books say the same."""
    effects = control.effects()
    counted = {f"{one.kind} {one.pk}": effects.count(str(one.pk)) for one in operations}
    assert set(counted.values()) == {1}, counted
    assert {fresh(one).attempt for one in operations} == {1}
    require_agreement(control)


def require_agreement(control: Control) -> None:
    """No effect is there twice or unasked for, the invariants hold, and Stripe's balances are the ledger's."""
    effects = control.effects()
    known = {str(pk) for pk in Operation.objects.values_list("pk", flat=True)}
    assert set(effects.operations) <= known
    assert {name: len(found) for name, found in effects.operations.items() if len(found) > 1} == {}
    assert effects.without_operation == []
    theirs = _balances(control)
    booked = {code for (code,) in rows("SELECT code FROM ledger_account WHERE code LIKE %s", ["stripe:%"])}
    assert {code: ledger.balance(code) for code in booked | theirs.keys()} == dict.fromkeys(booked, 0) | theirs
    assert audit.check().breaches == []


def _balances(control: Control) -> dict[str, int]:
    """What Stripe says lies in every balance, available and pending together, by the ledger's code for it."""
    state = control.state()
    found = {}
    for account, currencies in state["balances"].items():
        for currency, lies in currencies.items():
            of_platform = account == state["platform"]
            place = accounts.platform(currency) if of_platform else accounts.connected(account, currency)
            found[place.code] = lies["available"] + lies["pending"]
    return found
