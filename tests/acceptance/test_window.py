"""However many jobs are enqueued, only a window of doorbells lies in Redis."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.db import transaction

from contralock.local.waiting import wait_until
from jobs.broker import depths
from jobs.database import now
from jobs.drill import drill
from jobs.models import Job, Keeper
from tests.acceptance.handlers import say
from tests.acceptance.history import wait_completed
from tests.nodes import BeatNode, BrokerNode, WorkerNode


def test_five_thousand_jobs_leave_a_window_of_doorbells_and_the_keeper_adds_none(
    start_beat: Callable[..., BeatNode], celery_broker: BrokerNode, figure: Callable[[str, object], None]
) -> None:
    began = time.monotonic()
    drill.delay_many([{}] * 4000)
    figure("delay_many of 4,000 (s)", round(time.monotonic() - began, 2))
    with transaction.atomic():
        for _ in range(100):
            drill.delay_many([{}] * 10)
    assert 0 < depths(["general"])["general"] <= settings.JOBS_WINDOW
    start_beat()
    begin = now()
    wait_until(lambda: Keeper.objects.get().ticked_at > begin, limit=10, what="a tick")
    assert depths(["general"])["general"] <= settings.JOBS_WINDOW
    assert Job.objects.filter(state="waiting").count() == 5000


def test_jobs_beyond_the_window_run_as_room_appears(
    start_worker: Callable[..., WorkerNode], start_beat: Callable[..., BeatNode]
) -> None:
    handles = say.delay_many([{"word": str(n)} for n in range(settings.JOBS_WINDOW + 300)])
    assert Job.objects.filter(published_at=None).count() == 300
    start_beat()
    start_worker(concurrency=2)
    wait_completed(handles, limit=40)
