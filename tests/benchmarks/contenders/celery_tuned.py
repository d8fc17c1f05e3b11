"""Celery tuned as far as it goes without rows of ours."""

from __future__ import annotations

from tests.benchmarks.contenders.celery_stock import CeleryStock


class CeleryTuned(CeleryStock):
    """No ack emulation (a message is lost with its worker), prefetch 16, our priority steps."""

    name = "celery-tuned"
    note = "ack_emulation off, prefetch 16, ten priority steps, no gossip: loses jobs when a worker is killed"
    more = ("--without-gossip", "--without-mingle")

    def environment(self, **more: str) -> dict[str, str]:
        """Tell the app."""
        return super().environment(BENCH_TUNED="on", **more)
