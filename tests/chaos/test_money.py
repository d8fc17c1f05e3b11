"""Money under fire: deposits, releases, refunds and withdrawals while Stripe misbehaves in every way it knows and
payment workers are killed all the time. Then the books, and what Stripe really did, are compared.

Not part of the suite: it takes minutes. ESCROWS milestones, two or three operations each:
    make soak ESCROWS=100
    SOAK_SPARE=deposits,withdrawals make soak ESCROWS=1000   # kills only while releases and refunds are under way

Every SOAK_KILL_MS milliseconds (100, give or take a half) a process dies that is in the middle of a job, and now and
then a whole worker.
"""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGKILL
from typing import Any, Self

import pytest
from django.db import connection

from contralock.local.waiting import wait_until
from jobs.database import rows
from jobs.models import UNFINISHED_STATES, Job
from payments import audit, ledger, services
from payments.ledger import accounts
from payments.models import Operation
from payments.money import Money
from payments.sandbox.control import Control
from payments.sandbox.options import KEY
from payments.states import Kind, Status
from tests.nodes import BeatNode, WorkerNode
from tests.payments.live import Live, live_escrow, use
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import LocalStripe
from tests.payments.story import deposit_of

ESCROWS = int(os.environ.get("SOAK_ESCROWS", "0"))
SEED = int(os.environ.get("SOAK_SEED", str(random.randrange(10_000))))
KILL_MS = float(os.environ.get("SOAK_KILL_MS", "100"))
KILL_EVERY = (KILL_MS / 2000, KILL_MS * 3 / 2000)  # seconds between two kills of a busy process
SPARE = os.environ.get("SOAK_SPARE", "").split(",")
PROCESSES = 8  # of each of two workers: Celery takes up to a second to replace a dead one
WORKER_EVERY = 60.0  # seconds between two kills of a whole worker
LIMIT = 120 + ESCROWS * 12
PLATFORM = "/api/webhooks/stripe"

PATHS = ("/v1/payment_intents", "/v1/transfers", "/v1/payouts", "/v1/refunds")
"""What the workers call; the client's browser is spared."""
FAULTS: list[dict[str, Any]] = [
    {"kind": "drop_before", "probability": 0.04},
    {"kind": "drop_after", "probability": 0.06},
    {"kind": "half_body", "probability": 0.03},
    {"kind": "html", "effect": True, "probability": 0.02},
    {"kind": "html", "effect": False, "probability": 0.02},
    {"kind": "hang_after", "seconds": 1.5, "probability": 0.01},
    {"kind": "conflict", "probability": 0.03},
    {"kind": "rate_limit", "probability": 0.03},
    {"kind": "server_error", "effect": False, "saved": False, "probability": 0.03},
    {"kind": "server_error", "effect": True, "saved": True, "probability": 0.02},
]


@pytest.fixture
def stripe(tmp_path: Path, live_server: Any, settings: Any) -> Iterator[Cast]:
    """A local Stripe of this story's own, whose webhooks come to this process."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.STRIPE_WEBHOOK_SECRETS, settings.STRIPE_CONNECT_WEBHOOK_SECRETS = ["whsec_local"], ["whsec_local_connect"]
    hooks = [f"--webhook={live_server.url}{PLATFORM}", f"--connect-webhook={live_server.url}{PLATFORM}/connect"]
    with LocalStripe(tmp_path, *hooks) as server:
        use(settings, server.url)
        yield Cast(server.url, server.key)


class Storm(threading.Thread):
    """Kills payment workers' processes until it is told to stop."""

    def __init__(self, start: Callable[[], WorkerNode], dice: random.Random) -> None:
        super().__init__(daemon=True)
        self.start_worker, self.dice = start, dice
        self.workers = [start(), start()]
        self.blows: Counter[str] = Counter()
        self.calm, self.over = threading.Event(), threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join(20)

    @contextmanager
    def sparing(self, phase: str) -> Iterator[None]:
        """No kills in this phase, if it is one of those to be spared."""
        if phase in SPARE:
            self.calm.set()
        yield
        self.calm.clear()

    def run(self) -> None:
        """Strike at random until it is calm; go on looking after the workers until it is over."""
        worker_at = time.monotonic() + WORKER_EVERY
        try:
            self.strike_until_over(worker_at)
        finally:
            connection.close()

    def strike_until_over(self, worker_at: float) -> None:
        """The loop."""
        while not self.over.wait(self.dice.uniform(*KILL_EVERY)):
            self.look_after()
            if self.calm.is_set():
                continue
            if time.monotonic() > worker_at:
                self.kill_worker()
                worker_at = time.monotonic() + WORKER_EVERY
            else:
                self.kill_process()

    def look_after(self) -> None:
        """A worker whose processes all died while it started gives up: whoever runs it starts it again."""
        for node in self.workers:
            if not node.container.running:
                node.container.start()
                self.blows["given up"] += 1

    def kill_worker(self) -> None:
        """The whole of one."""
        node = self.dice.choice(self.workers)
        node.kill()
        node.container.start()
        self.blows["worker"] += 1

    def kill_process(self) -> None:
        """One that is in the middle of a job: an idle one proves nothing, and takes its worker a second to replace."""
        active = Job.objects.filter(state="active").values_list("worker_pid", flat=True)
        busy = {pid for pid in active if pid is not None}
        with suppress(ProcessLookupError, FileNotFoundError):
            hit = sorted(busy & {pid for node in self.workers if node.container.running for pid in node.children()})
            if hit:
                os.kill(self.dice.choice(hit), SIGKILL)
                self.blows["process"] += 1


def _until(rows_: Any, what: str) -> None:
    try:
        wait_until(lambda: not rows_.exists(), limit=LIMIT, poll=0.3, what=f"{what} (seed {SEED})")
    except TimeoutError:
        print(*Operation.objects.values_list("kind", "dispatch", "status", "error"), sep="\n")
        print(*Job.objects.exclude(state="completed").values_list("kind", "state", "runs", "error"), sep="\n")
        raise


def _pay_all(escrows: list[Live]) -> None:
    """The clients pay as soon as there is something to pay."""
    unpaid = {story.milestone.pk: story for story in escrows}

    def pay() -> bool:
        for key, story in list(unpaid.items()):
            if deposit_of(story).stripe_id:
                story.pay()
                del unpaid[key]
        return not unpaid

    wait_until(pay, limit=LIMIT, poll=0.2, what=f"all PaymentIntents (seed {SEED})")


def _move_all(escrows: list[Live], dice: random.Random) -> None:
    """Two in three are released, the others refunded, one in four of them in part."""
    for number, story in enumerate(escrows):
        if number % 3:
            services.deliver(story.milestone.pk, by=story.freelancer)
            services.request_release(story.milestone.pk, by=story.client)
        else:
            part = 10_000 if number % 4 else dice.randrange(1, 10_000)
            services.request_refund(
                story.milestone.pk, amount=Money(part, "usd"), by=story.client, reason="changed my mind"
            )


def _withdraw_all(escrows: list[Live], control: Control) -> None:
    for number, story in enumerate(escrows):
        if number % 3:
            control.settle(story.account.stripe_account)
            services.request_withdrawal(by=story.freelancer, amount=Money(5_000, "usd"))


@pytest.mark.skipif(not ESCROWS, reason="minutes long: make soak")
@pytest.mark.chaos
@pytest.mark.timeout(LIMIT * 4)
def test_after_the_storm_every_operation_had_exactly_one_effect(
    start_worker: Callable[..., WorkerNode],
    start_beat: Callable[..., BeatNode],
    stripe: Cast,
    figure: Callable[[str, object], None],
) -> None:
    dice = random.Random(SEED)
    env = {
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_TIMEOUT": "1",
        "STRIPE_RATE": "1000",
        "JOBS_CRASH_LIMIT": "1000000",
    }
    start_beat(**env)  # the keeper counts crashes too
    storm = Storm(lambda: start_worker("payment", concurrency=PROCESSES, wait=False, **env), dice)
    stripe.control.fund(1_000_000)
    escrows = [live_escrow(stripe) for _ in range(ESCROWS)]
    for number, (path, fault) in enumerate(itertools.product(PATHS, FAULTS)):
        stripe.control.fault(path=path, method="POST", seed=SEED + number, **fault)
    began = time.monotonic()
    with storm:
        _live_through(escrows, stripe.control, storm, dice)
        seconds = time.monotonic() - began
        storm.calm.set()
        stripe.control.clear_faults()
        ours = Job.objects.filter(queue="payment", state__in=UNFINISHED_STATES)  # the others have no worker here
        _until(ours.exclude(state="unknown"), "all jobs")
    figure(
        "money", f"{Operation.objects.count()} operations in {seconds:.0f} s, seed {SEED}, kills {dict(storm.blows)}"
    )
    figure("money, attempts", dict(rows("SELECT outcome, count(*) FROM jobs_attempt GROUP BY 1")))
    _compare(stripe.control)


def _live_through(escrows: list[Live], control: Control, storm: Storm, dice: random.Random) -> None:
    """Everybody pays, releases, refunds and withdraws, while it storms."""
    unbooked = Operation.objects.filter(booked_at=None)
    with storm.sparing("deposits"):
        for story in escrows:
            services.request_deposit(story.milestone.pk, by=story.client)
        _pay_all(escrows)
        _until(unbooked, "all deposits")
    control.settle()
    _move_all(escrows, dice)
    _until(unbooked, "all releases and refunds")
    with storm.sparing("withdrawals"):
        _withdraw_all(escrows, control)
        _until(unbooked, "all withdrawals")


def _compare(control: Control) -> None:
    """One effect for each operation, none besides, the same totals, and books that are right."""
    effects = control.effects()
    counts = {str(operation.pk): effects.count(str(operation.pk)) for operation in Operation.objects.all()}
    assert set(counts.values()) == {1}, {name: count for name, count in counts.items() if count != 1}
    assert set(effects.operations) <= set(counts), "Stripe did nothing that nobody asked for"
    assert not audit.check().breaches
    done = Operation.objects.exclude(status__in=[Status.REJECTED, Status.CANCELED])
    for kind, name in ((Kind.RELEASE, "transfer"), (Kind.REFUND, "refund"), (Kind.WITHDRAWAL, "payout")):
        ours = sum(one.amount - one.fee for one in done.filter(kind=kind))
        assert effects.totals[name]["usd"]["amount"] == ours, name
    balances = control.state()["balances"]
    held = sum(sum(balances[account]["usd"].values()) for account in _connected())
    book = sum(ledger.balance(accounts.connected(account, "usd").code) for account in _connected())
    assert held == book


def _connected() -> list[str]:
    found = Operation.objects.filter(kind=Kind.RELEASE).values_list("payout_account__stripe_account", flat=True)
    return sorted(set(found))
