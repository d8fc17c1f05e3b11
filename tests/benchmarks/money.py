"""`make bench-money`: releases per second against the local Stripe, at once and with 200 ms until it answers.

Two payment workers as the README starts them, a keeper, PostgreSQL and Valkey on this machine. The milestones are
funded before; what is timed is from the first release's transfer to the last one booked.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from tests.benchmarks import machine
from tests.benchmarks.contenders.base import BENCH
from tests.benchmarks.contenders.contralock import CELERY, ContraLock
from tests.benchmarks.processes import Spawned, cpu_seconds
from tests.benchmarks.servers import Servers, started
from tests.payments.sandbox.server import LocalStripe

WORKERS = 2
PATIENCE = 300.0
"""Seconds that a round may take."""
ROUNDS = ((0, 2, 1.0), (200, 2, 0.3), (200, 8, 1.0))
"""Milliseconds until Stripe answers, processes per worker, share of the releases."""


@dataclass(frozen=True)
class Round:
    """What one round cost; seconds, and per release."""

    rate: float
    statements: float
    cpu: float

    def line(self, latency: int, processes: int) -> str:
        """For people."""
        return (
            f"{latency:3} ms, {WORKERS} × {processes} processes: {self.rate:6.1f} releases/s, "
            f"{self.statements:5.1f} PostgreSQL statements and {self.cpu * 1000:5.1f} ms of workers' CPU each"
        )


class Money(ContraLock):
    """The same installation, with a local Stripe."""

    stripe_url = ""

    def environment(self, **more: str) -> dict[str, str]:
        """No throttle: the local Stripe has none."""
        named = {"STRIPE_API_BASE": self.stripe_url, "STRIPE_SECRET_KEY": "sk_test_local", "STRIPE_RATE": "100000"}
        return super().environment(**named, **more)

    @contextmanager
    def payment_workers(self, processes: int) -> Iterator[list[Spawned]]:
        """Both, ready."""
        options = ("-Q", "payment", "-c", str(processes), "--without-gossip", "--without-mingle", "--loglevel=INFO")
        with ExitStack() as stack:
            found = []
            for number in range(WORKERS):
                argv = [*CELERY, "worker", *options, "-n", f"payment{number}@%h"]
                log = self.folder / f"payment{number}-{processes}-{time.monotonic()}.log"
                found.append(stack.enter_context(Spawned(argv, env=self.environment(), log=log)))
            yield found


def fund(count: int, url: str) -> list[int]:
    """So many milestones whose money is held; their ids. Through the real jobs, in this process."""
    from jobs import testing
    from jobs.database import now
    from payments import services
    from tests.payments.live import live_escrow
    from tests.payments.sandbox.cast import Cast

    cast = Cast(url, "sk_test_local")
    stories = [live_escrow(cast) for _ in range(count)]
    for story in stories:
        story.deposit()
    testing.run_all(limit=count * 4, failures=True)
    for story in stories:
        story.pay()
    testing.run_due(now=now() + timedelta(hours=1), limit=count * 4, failures=True)
    for story in stories:
        services.deliver(story.milestone.pk, by=story.freelancer)
    return [story.milestone.pk for story in stories]


def one_round(bench: Money, milestones: Sequence[int], processes: int) -> Round:
    """Release them all: asked for while the queue is paused, so that the round begins with a full one."""
    from jobs import queues
    from payments import services
    from payments.models import Milestone

    queues.pause("payment", owner="bench", reason="the round has not begun", by="bench")
    asked = [
        services.request_release(milestone.pk, by=milestone.project.client).operation.pk
        for milestone in Milestone.objects.filter(pk__in=milestones).select_related("project__client")
    ]
    with bench.keeper(), bench.payment_workers(processes) as workers:
        wait_for_workers()
        before = spent(bench, workers)
        queues.resume("payment", owner="bench")
        wait_for(asked, workers)
        after = spent(bench, workers)
    first, last = span(asked)
    each = len(asked)
    return Round(
        rate=(each - 1) / (last - first), statements=(after[0] - before[0]) / each, cpu=(after[1] - before[1]) / each
    )


def spent(bench: Money, workers: Sequence[Spawned]) -> tuple[int, float]:
    """Statements of all clients of the database, and seconds of the workers' CPU, so far."""
    return bench.servers.statements(bench.database), sum(cpu_seconds(worker.pid) for worker in workers)


def wait_for_workers() -> None:
    """Both have said that they are there."""
    from contralock.local.waiting import wait_until
    from jobs.models import Worker

    ready = Worker.objects.filter(stopped_at=None, queues__contains=["payment"])
    wait_until(lambda: ready.count() >= WORKERS, limit=60, what="two payment workers")


def wait_for(asked: Sequence[UUID], workers: Sequence[Spawned]) -> None:
    """All are booked."""
    from payments.models import Operation

    deadline = time.monotonic() + PATIENCE
    while Operation.objects.filter(pk__in=asked, booked_at=None).exists():
        for worker in workers:
            worker.check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"not all booked within {PATIENCE:g} s")
        time.sleep(0.5)


def span(asked: Sequence[UUID]) -> tuple[float, float]:
    """When the first of them was sent to Stripe, and when the last was booked."""
    from django.db.models import Max, Min

    from payments.models import Operation

    found = Operation.objects.filter(pk__in=asked).aggregate(first=Min("first_sent_at"), last=Max("booked_at"))
    return found["first"].timestamp(), found["last"].timestamp()


def run(count: int, servers: Servers, folder: Path) -> None:
    """All rounds, each printed when it is over."""
    with LocalStripe(folder) as stripe:
        bench = Money(servers, folder)
        bench.stripe_url = stripe.url
        bench.prepare()
        os.environ.update(bench.environment())
        import django

        django.setup()
        from jobs import queues
        from payments import audit

        for queue in ("email", "invoice"):  # mails and invoices of the releases wait: they are no payments
            queues.pause(queue, owner="bench", reason="not measured", by="bench")
        print(f"{machine.facts()}")
        for latency, processes, share in ROUNDS:
            milestones = fund(max(2, round(count * share)), stripe.url)
            if latency:
                stripe.control.fault("slow", path="/v1/transfers", method="POST", latency_ms=latency)
            print(one_round(bench, milestones, processes).line(latency, processes), flush=True)
            stripe.control.clear_faults()
        assert not audit.check().breaches, "the books are wrong"


def main(argv: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench-money ARGS=…", description=__doc__)
    parser.add_argument("--releases", type=int, default=200, help="per round (200)")
    count = parser.parse_args(argv).releases
    BENCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="contralock-bench-") as folder, started() as servers:
        run(count, servers, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
